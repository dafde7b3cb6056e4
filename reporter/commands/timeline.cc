// `timeline`: mask changes and creations in order, one line each.
// Must never wait for the end of the run: lines are streamed.
// Called through the table.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/filter_hints.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/commands/twin_format.h"
#include "reporter/objects/local_links.h"
#include "reporter/objects/refusal.h"
#include "reporter/render/formats/jsonl.h"
#include "reporter/render/formats/twins_json.h"
#include "reporter/render/timeline_text.h"

namespace umaskaudit::commands {
namespace {

struct Options {
  RunArguments arguments;
  std::size_t limit = 0;
  bool all = false;
  TwinFormat format = TwinFormat::text;
};

void write(OpenedRun& opened, const Options& options, const Output& output) {
  const render::TimelineStyle style{opened.run().begin_ns(), output.paint, true};
  opened.begin_stream(output);
  const bool text = options.format == TwinFormat::text;
  render::JsonLines json(opened.run(), opened.stacks(), true);
  output.stream << (text ? render::timeline_titles(style)
                         : render::timeline_json_begin(opened.run()));
  const auto write_json = [&](const Event& event, std::size_t before) {
    std::string line;
    json.append(line, event);
    if (line.empty()) return false;  // a type that JSON Lines have not
    line.pop_back();
    output.stream << (before == 0 ? "\n" : ",\n") << line;
    return true;
  };
  std::size_t shown = 0, more = 0;
  std::string line;
  LifeOptions life_options;
  life_options.links = local_links(opened.run());
  ObjectLives lives(std::move(life_options));  // for the reason why a creation was refused
  opened.run().for_each_folded([&](const Event& event) {
    if (options.all) lives.see(event);
    if (!options.arguments.filter.selects(event) || !(options.all || render::is_listed(event)))
      return true;
    if (options.limit != 0 && shown == options.limit) return ++more, true;
    if (!text) {
      if (write_json(event, shown)) ++shown;
      return static_cast<bool>(output.stream);
    }
    line.clear();
    const auto* create = std::get_if<CreateEvent>(&event);
    const auto refusal = create == nullptr ? std::nullopt : refusal_of(*create, lives);
    render::append_timeline(line, event, opened.stacks(), style,
                            refusal ? render::refusal_text(*refusal) : "");
    output.stream << line;
    ++shown;
    return static_cast<bool>(output.stream);
  });
  if (!text) {
    if (const auto spot = opened.unaudited(); spot && write_json(*spot, shown)) ++shown;
    output.stream << render::timeline_json_end(shown, more);
    return;
  }
  if (const auto spot = opened.unaudited()) output.stream << render::event_text(*spot) << '\n';
  if (more != 0) output.stream << "... and " << more << " more, --limit 0 shows all\n";
}

}  // namespace

Action configure_timeline(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_run_argument(app, options->arguments);
  app.add_flag("--all", options->all, "Failed calls, opened files, renames and threads too");
  add_twin_format(app, options->format);
  add_number(app, "--limit", options->limit, "Lines at most; 0: all, the default");
  add_listing_options(app, options->arguments);
  return [options](Invocation& invocation) {
    return write_about_run(invocation.console, options->arguments,
                           [&](OpenedRun& opened, const Output& output) {
                             warn_of_empty_filter(invocation.console, opened, options->arguments);
                             write(opened, *options, output);
                           });
  };
}

}  // namespace umaskaudit::commands

// `whatif`: the recorded run under another mask, for those who want to tighten the default.
// Must never run the program again, nor change a mask: the record and the calculus answer.
// Called through the table.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "reporter/analysis/mask_replay.h"
#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/filter_hints.h"
#include "reporter/commands/notation_error.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/commands/twin_format.h"
#include "reporter/render/formats/whatif_json.h"
#include "reporter/render/whatif.h"

namespace umaskaudit::commands {
namespace {

enum class Order { time, path };

constexpr std::size_t kPageObjects = 50;

struct Options {
  RunArguments arguments;
  TwinFormat format = TwinFormat::text;
  Order order = Order::time;
  std::string umask;
  bool everywhere = false;
  std::size_t limit = kPageObjects;
};

analysis::WhatIf work_out(const reader::Run& run, const Options& options, Mode mask) {
  analysis::WhatIf whatif;
  whatif.mask = mask;
  whatif.everywhere = options.everywhere;
  whatif.inherited = analysis::inherited_masks(run);
  analysis::MaskReplay replay(mask);
  analysis::FinalObjects made(
      [&](const CreateEvent& event) { return options.arguments.filter.selects(event); });
  run.for_each_folded([&](const Event& event) {
    replay.see(event);
    made.see(event);
    return true;
  });
  std::vector<analysis::FinalObject> objects = made.take();
  if (options.order == Order::path)
    std::stable_sort(objects.begin(), objects.end(),
                     [](const analysis::FinalObject& a, const analysis::FinalObject& b) {
                       return a.path < b.path;
                     });
  for (analysis::FinalObject& object : objects) {
    const CreateEvent& made_by = object.creation;
    const Mode then = options.everywhere            ? mask
                      : made_by.mask_setter_dropped ? made_by.mask
                                                    : replay.mask_after(made_by.mask_set_by);
    analysis::classify(whatif, std::move(object), then);
  }
  return whatif;
}

void write(OpenedRun& opened, const Options& options, Mode mask, const Output& output) {
  const render::TextContext context{opened.run(), opened.stacks(), output.paint, output.width};
  const analysis::WhatIf whatif = work_out(opened.run(), options, mask);
  if (options.format == TwinFormat::json) {
    output.stream << render::whatif_json(context, whatif);
    return;
  }
  std::string out = render::whatif_text(context, whatif, options.limit);
  analysis::SummaryOptions brief;
  brief.objects = false;
  render::append_unseen(out, context, opened.summary(brief));
  output.stream << out;
}

int whatif(Options& options, Console& console) {
  const auto opened = OpenedRun::open(options.arguments, console);
  if (!opened) return fail(console, opened.error());
  const std::vector<Mode> inherited = analysis::inherited_masks((*opened)->run());
  const Parsed<Mode> mask = parse_mask(options.umask, inherited.empty() ? 022 : inherited.front());
  if (const auto* error = std::get_if<NotationError>(&mask))
    return fail_notation(console, "mask", options.umask, *error, "umaskaudit whatif --help");
  warn_of_mode(console, std::get<Mode>(mask));
  (*opened)->mark_named(options.arguments.filter);
  warn_of_empty_filter(console, **opened, options.arguments);
  return write_output(console, options.arguments.output, [&](const Output& output) {
    write(**opened, options, std::get<Mode>(mask), output);
  });
}

}  // namespace

Action configure_whatif(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_run_argument(app, options->arguments);
  app.add_option("--umask", options->umask,
                 "The mask, octal or as umask -S: u=rwx,g=rx,o= (relative to the inherited one)")
      ->type_name("MASK")
      ->required();
  app.add_flag("--everywhere", options->everywhere,
               "In the place of the masks, too, that the program sets itself");
  add_twin_format(app, options->format, "What to write");
  add_enum_option<Order>(app, "--sort", options->order,
                         {{"time", Order::time}, {"path", Order::path}}, "Order of the objects");
  add_number(app, "--limit", options->limit, "Objects of the text at most; 0: all. Default: 50");
  add_listing_options(app, options->arguments);
  return [options](Invocation& invocation) { return whatif(*options, invocation.console); };
}

}  // namespace umaskaudit::commands

// `threads`: which thread changed the mask, when, for how long, and from where.
// Must never need a second screen for an ordinary run.
// Called through the table.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/filter_hints.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/commands/twin_format.h"
#include "reporter/render/formats/twins_json.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_table.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::commands {
namespace {

enum class Order { count, first, held, longest, thread };

struct Options {
  RunArguments arguments;
  Order order = Order::count;
  TwinFormat format = TwinFormat::text;
  std::optional<std::size_t> limit;  // by default 20 of text, all of JSON
  bool stacks = false;
};

// Why a filter selects no mask change, where what it goes by is the reason.
std::string sentence_of_none(const analysis::Filter& filter) {
  if (filter.empty()) return "No thread changed the mask.\n";
  const bool of_objects = !filter.paths.empty() || !filter.kinds.empty();
  return std::string("The filter selects no mask change") +
         (of_objects ? ": --path and --kind select objects, which mask changes are not.\n" : ".\n");
}

std::string sentence(const analysis::Summary& summary, const std::vector<render::Culprit>& all,
                     const analysis::Filter& filter) {
  if (all.empty()) return sentence_of_none(filter);
  std::set<analysis::ThreadId> threads;
  for (const render::Culprit& one : all) threads.insert(one.changes.who);
  return counted(threads.size(), "thread") + " of " + std::to_string(summary.threads) +
         " changed the mask, " + counted(summary.mask_changes, "time") + ", from " +
         counted(all.size(), "place") + ".\n";
}

TextTable table_of(const std::vector<render::Culprit>& all, std::size_t rows, std::uint64_t begin,
                   std::size_t width) {
  TextTable table({{"PID", Align::right, false, true},
                   {"TID", Align::right},
                   {"THREAD"},
                   {"CHANGES", Align::right},
                   {"MASK"},
                   {"FIRST", Align::right, false, true},
                   {"LAST", Align::right, false, true},
                   {"IN FORCE", Align::right},
                   {"LONGEST", Align::right, false, true},
                   {"WHERE", Align::left, true, false, 20}});
  for (std::size_t i = 0; i < rows; ++i) {
    const analysis::MaskChanges& changes = all[i].changes;
    table.add({std::to_string(changes.who.pid), std::to_string(changes.who.tid),
               escape(changes.thread), std::to_string(changes.count),
               Cell(render::transitions_text(changes, render::transitions_shown(width)),
                    render::mask_style(render::widest_mask(changes))),
               offset_text(changes.first_ns, begin), offset_text(changes.last_ns, begin),
               duration_text(changes.held_ns) + (changes.end_unseen ? "+" : ""),
               duration_text(changes.longest_ns), all[i].where});
  }
  return table;
}

void append_stack(std::string& out, OpenedRun& opened, const render::Culprit& one) {
  const analysis::MaskChanges& changes = one.changes;
  out += "\n" + escape(changes.call.empty() ? "umask" : changes.call) + ' ' +
         render::transitions_text(changes) + " by " +
         render::thread_text(changes.thread, changes.who.tid) + "\n";
  const std::string lines = render::event_stack_lines(opened.stacks(), changes.stack, 4);
  out += lines.empty() ? "    no stack was recorded\n" : lines;
}

void sort(std::vector<render::Culprit>& all, Order order) {
  const auto key = [order](const render::Culprit& one) -> std::pair<std::uint64_t, std::uint64_t> {
    const analysis::MaskChanges& changes = one.changes;
    switch (order) {
      case Order::count:
        return {~changes.count, changes.first_ns};
      case Order::first:
        return {changes.first_ns, 0};
      case Order::held:
        return {~changes.held_ns, 0};
      case Order::longest:
        return {~changes.longest_ns, 0};
      case Order::thread:
        return {changes.who.pid, changes.who.tid};
    }
    return {};
  };
  std::stable_sort(all.begin(), all.end(), [&](const render::Culprit& a, const render::Culprit& b) {
    return key(a) < key(b);
  });
}

void write(OpenedRun& opened, const Options& options, const Output& output) {
  analysis::SummaryOptions wanted;
  wanted.filter = options.arguments.filter;
  wanted.objects = false;
  const analysis::Summary summary = opened.summary(wanted);
  std::vector<render::Culprit> all = render::culprits(summary, opened.stacks());
  sort(all, options.order);
  const bool text = options.format == TwinFormat::text;
  const std::size_t limit = options.limit.value_or(text ? 20 : 0);
  const std::size_t rows = limit == 0 ? all.size() : std::min(all.size(), limit);
  const render::TextContext context{opened.run(), opened.stacks(), output.paint, output.width};
  if (!text) {
    output.stream << render::threads_json(context, summary, all, rows);
    return;
  }
  std::string out = sentence(summary, all, options.arguments.filter);
  if (rows != 0)
    out += '\n' + table_of(all, rows, opened.run().begin_ns(), output.width)
                      .screen_text(output.width, output.paint);
  if (rows < all.size())
    out += "  ... and " + counted(all.size() - rows, "place") + " more, --limit 0 shows all\n";
  const auto is_least = [](const render::Culprit& one) { return one.changes.end_unseen; };
  if (std::any_of(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(rows), is_least))
    out += "  + at least, up to the process's last event: when it ended was not seen\n";
  for (std::size_t i = 0; i < (options.stacks ? rows : std::min<std::size_t>(rows, 1)); ++i)
    append_stack(out, opened, all[i]);
  out += '\n';
  render::append_unseen(out, context, summary);
  render::append_symbol_notes(out, context);
  output.stream << out;
}

}  // namespace

Action configure_threads(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_run_argument(app, options->arguments);
  add_twin_format(app, options->format);
  app.add_flag("--stacks", options->stacks, "A stack for every row, not for the busiest only");
  add_enum_option<Order>(app, "--sort", options->order,
                         {{"count", Order::count},
                          {"first", Order::first},
                          {"held", Order::held},
                          {"longest", Order::longest},
                          {"thread", Order::thread}},
                         "Order of the rows; default: the busiest first");
  add_number(app, "--limit", options->limit, "Rows at most; 0: all. Default: 20");
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

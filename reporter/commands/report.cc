// `report`: what a run created, who changed the mask, and what could not be seen.
// Must never hold more of a run in memory than the summary keeps: events are streamed.
// Called through the table.
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/filter_hints.h"
#include "reporter/commands/report_html.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/fleet/run_tables.h"
#include "reporter/live/live_report.h"
#include "reporter/objects/final_states.h"
#include "reporter/objects/local_links.h"
#include "reporter/objects/object_lives.h"
#include "reporter/render/dropped.h"
#include "reporter/render/findings_text.h"
#include "reporter/render/formats/csv.h"
#include "reporter/render/formats/findings_json.h"
#include "reporter/render/formats/json_summary.h"
#include "reporter/render/formats/jsonl.h"
#include "reporter/render/formats/junit.h"
#include "reporter/render/formats/markdown.h"
#include "reporter/render/formats/sarif.h"
#include "reporter/render/timeline_text.h"
#include "reporter/render/unrecorded_files.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::commands {
namespace {

enum class Format { text, jsonl, json, csv, markdown, html, sarif, junit };

constexpr std::size_t kPageObjects = 50;  // in the formats for people
constexpr std::size_t kFewObjects = 12;   // that are listed one by one in text
constexpr std::size_t kFewOpen = 5;
constexpr std::size_t kBlock = 1 << 16;

struct Options {
  RunArguments arguments;
  Format format = Format::text;
  analysis::SortKey sort = analysis::SortKey::time;
  std::size_t limit = kPageObjects;
  bool limit_given = false;
  bool all = false;   // each object, also where there are many
  bool rows = false;  // that, or an option about rows was given
  bool follow = false;
  bool no_unrecorded = false;
  bool expand_stacks = false;
};

// Streams what `append` makes of each selected event: at most --limit of them when that was given,
// and in any case what could not be seen. `see` is called for every event before, selected or not.
void stream_events(const rules::EventSource& source, const Options& options, std::ostream& out,
                   const std::function<void(std::string&, const Event&)>& append,
                   const std::function<void(const Event&, bool selected)>& see = {}) {
  std::string block;
  const std::size_t most = options.limit_given ? options.limit : 0;
  std::size_t shown = 0;
  source([&](const Event& event) {
    const bool selected = options.arguments.filter.selects(event);
    if (see) see(event, selected);
    const bool room = most == 0 || shown < most;
    if (!selected || !(room || analysis::is_never_dropped(event))) return true;
    const std::size_t before = block.size();
    append(block, event);
    if (block.size() != before) ++shown;
    if (block.size() >= kBlock) {
      out << block;
      block.clear();
    }
    return static_cast<bool>(out);
  });
  out << block;
}

// They belong to no thread and no call: a filtered report says nothing of them.
bool wants_unrecorded(const Options& options) {
  return !options.no_unrecorded && options.arguments.filter.empty();
}

// What exists at the end: a line for each name.
void write_objects(const ObjectLives& lives, render::JsonLines& lines, std::ostream& out) {
  std::string block;
  lives.for_each_name([&](const ObjectLife& life, const std::string& name) {
    lines.append_object(block, life, name);
    if (block.size() < kBlock) return;
    out << block;
    block.clear();
  });
  out << block;
}

void write_jsonl(OpenedRun& opened, const Options& options, const Output& output) {
  render::JsonLines lines(opened.run(), opened.stacks(), options.expand_stacks);
  opened.begin_stream(output);
  std::string first;
  render::append_run_json(first, opened.run_line());
  lines.append_totals(first, opened.run().dropped());
  output.stream << first;
  bool selected = false;
  std::uint64_t object = 0;
  std::string ended;
  LifeOptions life_options;
  life_options.links = local_links(opened.run());
  life_options.selects = [&](const CreateEvent&) { return selected; };
  if (!options.limit_given)
    life_options.on_end = [&](const ObjectLife& life) {
      lines.append_object(ended, life, life.last_path);
    };
  ObjectLives lives(std::move(life_options));
  stream_events([&](const auto& visit) { opened.for_each_beside_findings(visit); }, options,
                output.stream,
                [&](std::string& out, const Event& event) {
                  lines.append(out, event, object, lives);
                  out += ended;
                  ended.clear();
                },
                [&](const Event& event, bool is_selected) {
                  selected = is_selected;
                  object = lives.see(event);
                });
  output.stream << ended;
  if (!options.limit_given) write_objects(lives, lines, output.stream);
  if (const auto spot = opened.unaudited()) {
    std::string line;
    lines.append(line, *spot);
    output.stream << line;
  }
  if (wants_unrecorded(options)) {
    const analysis::UnrecordedObjects& found = opened.unrecorded();
    std::uint64_t last_id = lives.last_id();
    std::string line;
    for (const UnrecordedObject& file : found.objects) {
      line.clear();
      render::append_unrecorded_json(line, file);
      render::append_unrecorded_object_json(line, file, ++last_id);
      output.stream << line;
    }
    line.clear();
    render::append_incomplete_json(line, found);
    output.stream << line;
  }
  for (const rules::Finding& finding : opened.findings().findings) {
    std::string line;
    render::append_finding_json(line, finding);
    output.stream << line;
  }
}

void write_csv(OpenedRun& opened, const Options& options, const Output& output) {
  const FinalStates states(opened.run());
  const render::RunLine line = opened.table_line();
  const render::CsvRun run{opened.run().begin_ns(), opened.run().begin_real_ns(), line.host,
                           fleet::run_id(opened.run(), line)};
  opened.begin_stream(output);
  output.stream << render::kCsvHeader;
  const auto source = [&](const auto& visit) { opened.run().for_each_folded(visit); };
  stream_events(source, options, output.stream, [&](std::string& out, const Event& event) {
    if (const auto* create = std::get_if<CreateEvent>(&event))
      render::append_csv_row(out, run, *create, states.of(*create), opened.stacks());
  });
}

void append_findings(std::string& out, const render::TextContext& context, OpenedRun& opened) {
  const rules::FindResult& result = opened.findings();
  if (result.findings.empty()) return;
  out += context.paint(Style::strong, "Findings") + '\n';
  render::append_finding_lines(out, context, result.findings, 2);
  append_wrapped(out, "Details: umaskaudit check " + escape(opened.run().directory()), 2, 4,
                 context.width);
  out += '\n';
}

// "--path '*.key' --kind file", escaped.
std::string filter_text(const RunArguments& arguments) {
  const analysis::Filter& filter = arguments.filter;
  std::string text;
  const auto add = [&](const char* option, const std::string& value) {
    text += (text.empty() ? "" : " ") + std::string(option) + ' ' + escape(value);
  };
  for (const std::string& path : filter.paths) add("--path", '\'' + path + '\'');
  for (const std::uint32_t pid : filter.pids) add("--pid", std::to_string(pid));
  for (const std::uint32_t tid : filter.tids) add("--tid", std::to_string(tid));
  for (const std::string& thread : filter.threads) add("--thread", '\'' + thread + '\'');
  for (const std::string& call : filter.calls) add("--call", call);
  for (const std::string& kind : filter.kinds) add("--kind", kind);
  for (const std::string& rule : filter.rules) add("--rule", rule);
  if (filter.severity) add("--severity", rules::severity_name(*filter.severity));
  if (!arguments.since.empty()) add("--since", arguments.since);
  return text;
}

// What the filter left of the whole run.
void append_filter(std::string& out, const render::TextContext& context,
                   const RunArguments& arguments, const analysis::Summary& selected,
                   const analysis::Summary& whole) {
  std::string text = "Filter: " + filter_text(arguments) + " (" +
                     std::to_string(selected.created + selected.unsure) + " of " +
                     counted(whole.created + whole.unsure, "object");
  append_wrapped(out, text + "). The totals above are those of the run.", 0, 2, context.width);
  out += '\n';
}

void append_verdict(std::string& out, const render::TextContext& context, OpenedRun& opened,
                    bool filtered) {
  const std::string program = render::program_of(opened.run(), opened.heading());
  out += render::verdict_text(opened.findings().findings, context.paint);
  if (filtered) out += " that the filter selects";
  out += program.empty() ? "\n" : " in " + escape(program) + '\n';
}

void write_text(OpenedRun& opened, const Options& options, const Output& output) {
  const render::TextContext context{opened.run(), opened.stacks(), output.paint, output.width,
                                    opened.directory()};
  const bool filtered = !options.arguments.filter.empty();
  analysis::SummaryOptions wanted{options.arguments.filter, options.sort, options.limit};
  wanted.groups = !options.rows;
  if (options.all && !options.limit_given) wanted.limit = 0;
  const analysis::Summary summary = opened.summary_and_findings(wanted);
  std::optional<analysis::Summary>
      whole;  // what is not about objects is of the run, whatever was selected
  if (filtered) {
    analysis::SummaryOptions counts;
    counts.objects = false;
    whole = opened.summary(counts);
  }
  const analysis::Summary& totals = whole ? *whole : summary;
  std::string out;
  append_verdict(out, context, opened, filtered);
  render::append_header(out, context, totals, opened.heading());
  if (filtered) append_filter(out, context, options.arguments, summary, totals);
  render::append_dropped(out, context);
  append_findings(out, context, opened);
  render::append_mask_changes(out, context, summary.changes.empty() ? totals : summary);
  render::append_hit_objects(out, context, opened.findings().findings);
  const bool few = summary.created + summary.unsure <= kFewObjects;
  // Of a few each is listed, with its mode, anyway.
  if (options.rows || !few)
    render::append_open_objects(out, context, summary, options.rows ? 0 : kFewOpen);
  if (options.rows || few)
    render::append_objects(out, context, summary, wanted.limit);
  else
    render::append_object_groups(out, context, summary);
  render::append_refused(out, context, summary);
  render::append_notes(out, context, summary);
  render::append_unseen(out, context, summary);
  if (wants_unrecorded(options)) render::append_unrecorded(out, context, opened.unrecorded());
  render::append_symbol_notes(out, context);
  output.stream << out;
}

void write(OpenedRun& opened, const Options& options, const Output& output) {
  const render::TextContext context{opened.run(), opened.stacks(), output.paint, output.width};
  const analysis::SummaryOptions wanted{options.arguments.filter, options.sort, options.limit};
  analysis::SummaryOptions brief;  // blind spots are of the whole run
  brief.objects = false;
  switch (options.format) {
    case Format::text:
      return write_text(opened, options, output);
    case Format::jsonl:
      return write_jsonl(opened, options, output);
    case Format::json: {
      const analysis::Summary summary = opened.summary_and_findings(wanted);
      output.stream << render::json_summary(context, summary, opened.heading(),
                                            opened.findings().findings);
      return;
    }
    case Format::csv:
      return write_csv(opened, options, output);
    case Format::markdown: {
      const analysis::Summary summary = opened.summary_and_findings(wanted);
      output.stream << render::markdown_report(context, summary, opened.heading(),
                                               opened.findings().findings);
      return;
    }
    case Format::html:
      return write_html(opened, wanted, options.limit_given, output);
    case Format::sarif: {
      const analysis::Summary summary = opened.summary_and_findings(brief);
      output.stream << render::sarif_log(context, summary, opened.sarif_run(),
                                         opened.findings().findings);
      return;
    }
    case Format::junit: {
      const analysis::Summary summary = opened.summary_and_findings(brief);
      output.stream << render::junit_report(context, summary, opened.heading(),
                                            {rules::Severity::warning, "", opened.directory()},
                                            opened.findings().findings);
      return;
    }
  }
}

int follow_events(Options& options, Console& console) {
  if (options.format != Format::jsonl)
    return fail(console, {"report: only events can be followed", "",
                          "umaskaudit report RUN --format jsonl --follow", ExitCode::usage});
  live::FollowOptions follow;
  follow.limit = options.limit_given ? options.limit : 0;
  follow.expand_stacks = options.expand_stacks;
  return live::follow_report(options.arguments, follow, console);
}

// Rows have no place for what is missing among them.
void warn_of_losses(const OpenedRun& opened, Console& console) {
  std::string reasons;
  for (const LossEvent& loss : opened.run().completeness().losses) {
    reasons += (reasons.empty() ? "" : ", ") + loss.reason + ' ' + std::to_string(loss.count);
  }
  if (reasons.empty()) return;
  warn(console, "the run is incomplete, rows may be missing (" + reasons +
                    "); details: umaskaudit report RUN");
}

}  // namespace

Action configure_report(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_run_argument(app, options->arguments);
  add_enum_option<Format>(app, "-f,--format", options->format,
                          {{"text", Format::text},
                           {"jsonl", Format::jsonl},
                           {"json", Format::json},
                           {"csv", Format::csv},
                           {"markdown", Format::markdown},
                           {"html", Format::html},
                           {"sarif", Format::sarif},
                           {"junit", Format::junit}},
                          "What to write: events in jsonl, a summary in json, a page in html");
  add_listing_options(app, options->arguments);
  add_enum_option<analysis::SortKey>(app, "--sort", options->sort,
                                     {{"time", analysis::SortKey::time},
                                      {"path", analysis::SortKey::path},
                                      {"mode", analysis::SortKey::mode},
                                      {"mask", analysis::SortKey::mask},
                                      {"thread", analysis::SortKey::thread},
                                      {"call", analysis::SortKey::call},
                                      {"kind", analysis::SortKey::kind}},
                                     "Order of the objects; mode: the widest first");
  CLI::Option* limit =
      add_number(app, "--limit", options->limit,
                 "Objects (lines of jsonl and csv) at most; 0: all. Default: 50 in text, "
                 "100000 in html");
  app.add_flag("--all", options->all, "In text: a row for each object, however many there are");
  app.add_flag("--follow", options->follow,
               "With jsonl: events of a run that is being recorded, as they come");
  app.add_flag("--no-appeared", options->no_unrecorded,
               "Do not look for files that appeared without a record");
  app.add_flag("--expand-stacks", options->expand_stacks,
               "With jsonl: lines that stand alone, with whole stacks and nothing left out");
  const CLI::Option* sort = app.get_option("--sort");
  return [options, limit, sort](Invocation& invocation) {
    options->limit_given = limit->count() != 0;
    options->rows = options->all || options->limit_given || sort->count() != 0;
    if (options->expand_stacks && options->format != Format::jsonl)
      return fail(invocation.console,
                  {"report: only the events of jsonl have stacks to expand", "",
                   "umaskaudit report RUN --format jsonl --expand-stacks", ExitCode::usage});
    if (options->format == Format::html && options->arguments.output.empty() &&
        invocation.console.out_tty)
      return fail(invocation.console, no_page_for_terminals("report"));
    if (options->follow) return follow_events(*options, invocation.console);
    return write_about_run(invocation.console, options->arguments,
                           [&](OpenedRun& opened, const Output& output) {
                             warn_of_empty_filter(invocation.console, opened, options->arguments);
                             opened.show_sources();
                             if (options->no_unrecorded) opened.limit_unrecorded(0);
                             write(opened, *options, output);
                             if (options->format == Format::csv)
                               warn_of_losses(opened, invocation.console);
                           });
  };
}

}  // namespace umaskaudit::commands

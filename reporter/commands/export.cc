// `export`: a run in the formats of other people's tools.
// Must never write a database to standard output, nor leave half a file under its name.
// Called through the table.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "reporter/base/output_file.h"
#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/otlp.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/export/chrome.h"
#include "reporter/export/collapsed.h"
#include "reporter/export/ecs.h"
#include "reporter/export/otlp.h"
#include "reporter/export/sqlite.h"
#include "reporter/fleet/run_tables.h"
#include "reporter/record/ci_job.h"
#include "reporter/text/escape.h"

namespace umaskaudit::commands {
namespace {

enum class Format { none, chrome, collapsed, sqlite, ecs, otlp, tables };

struct Options {
  RunArguments arguments;
  std::vector<std::string> runs;  // more than one for tables only; none: the latest run here
  Format format = Format::none;
  exports::CollapsedBy by = exports::CollapsedBy::creations;
  std::string to;  // a collector's URL, or "env"; empty: records go to the output
};

exports::RunFacts facts_of(const OpenedRun& opened) {
  const reader::Run& run = opened.run();
  const render::Heading heading = opened.heading();
  exports::RunFacts facts = {{"begin_ns", std::to_string(run.begin_ns())},
                             {"end_ns", std::to_string(run.end_ns())},
                             {"begin_unix_ns", std::to_string(run.begin_real_ns())},
                             {"directory", escape(run.directory())},
                             {"records", std::to_string(run.completeness().records)},
                             {"lost", std::to_string(run.completeness().total_lost())}};
  if (!heading.program.empty()) facts.emplace_back("program", escape(heading.program));
  if (!heading.ending.empty()) facts.emplace_back("ending", heading.ending);
  return facts;
}

int write_database(OpenedRun& opened, const std::string& file, Console& console) {
  Result<OutputFile> output = OutputFile::create(file);
  if (!output) return fail(console, output.error());
  if (output->temporary_path().empty())
    return fail(console, {"cannot write '" + file + "'", "a database needs a file",
                          "another place with -o", ExitCode::usage});
  const exports::FindAll find = [&](const auto& on_hit) { return opened.findings(on_hit); };
  const Status filled = exports::export_sqlite(opened.run(), opened.stacks(), find,
                                               facts_of(opened), output->temporary_path());
  if (!filled) return fail(console, filled.error());
  const Status done = output->commit();
  return done ? 0 : fail(console, done.error());
}

int write_text(OpenedRun& opened, const Options& options, Console& console) {
  const bool judged = options.format != Format::collapsed;
  const rules::FindResult result = judged ? opened.findings() : rules::FindResult{};
  const exports::ExportSource source{opened.run(), opened.stacks(), result.findings,
                                     opened.unaudited()};
  return write_output(console, options.arguments.output, [&](const Output& output) {
    const exports::TextSink sink = [&](const std::string& text) {
      output.stream << text;
      return static_cast<bool>(output.stream);
    };
    switch (options.format) {
      case Format::chrome:
        return exports::export_chrome(source, sink);
      case Format::collapsed:
        return exports::export_collapsed(source, options.by, sink);
      case Format::ecs:
        return exports::export_ecs(source, sink);
      case Format::otlp:
        return exports::export_otlp(
            source, otlp_resource(opened, console),
            [&](const std::string& text, std::size_t) { return sink(text); });
      case Format::sqlite:
      case Format::tables:
      case Format::none:
        return;
    }
  });
}

int write_tables(OpenedRun& opened, const std::string& lake, Console& console) {
  fleet::RunTablesSource source{opened.run(),       opened.stacks(), opened.table_line(),
                                opened.directory(), std::nullopt,    record::ci_job(),
                                opened.unaudited(), nullptr};
  if (const std::optional<record::RunRecord>& record = opened.record()) {
    source.umask = record->umask;
    if (!record->ci.system.empty()) source.ci = record->ci;
  }
  source.find = [&](rules::FindOptions find) -> const rules::FindResult& {
    return opened.findings(std::move(find));
  };
  const Result<std::string> place = fleet::export_tables(source, lake);
  if (!place) return fail(console, place.error());
  console.out << escape(lake + (lake.ends_with('/') ? "" : "/") + *place) << '\n';
  return 0;
}

// One after the other: a run that cannot be read leaves the others out of it, a lake that cannot be
// written is the same for all.
int write_all_tables(const Options& options, Console& console) {
  std::size_t written = 0;
  int code = 0;
  for (const std::string& run : options.runs) {
    RunArguments arguments = options.arguments;
    arguments.run = run;
    const auto opened = OpenedRun::open(arguments, console);
    const int failed =
        opened ? write_tables(**opened, arguments.output, console) : fail(console, opened.error());
    code = std::max(code, failed);
    if (failed == 0) ++written;
    if (opened && failed != 0) break;
  }
  if (written != options.runs.size() && options.runs.size() > 1)
    console.err << "umaskaudit: " << written << " of " << options.runs.size()
                << " runs are in the lake now\n";
  return code;
}

// Of a command line that asks for a collector.
int send_run(Options& options, Console& console) {
  if (options.format != Format::otlp || !options.arguments.output.empty())
    return fail(console, {"export: --to is for --format otlp, and without -o", "",
                          "umaskaudit export RUN --format otlp --to URL", ExitCode::usage});
  const Result<ship::Endpoint> endpoint = endpoint_at(options.to == "env" ? "" : options.to);
  if (!endpoint) return fail(console, endpoint.error());
  const auto opened = OpenedRun::open(options.arguments, console);
  return opened ? send_otlp(**opened, *endpoint, console) : fail(console, opened.error());
}

int export_run(Options& options, Console& console) {
  const bool tables = options.format == Format::tables;
  if (options.runs.empty()) options.runs.emplace_back();
  if (options.runs.size() > 1 && !tables)
    return fail(console,
                {"export takes one run, and '" + options.runs[1] + "' is one more",
                 "only tables are of several", "--format tables -o LAKE", ExitCode::usage});
  options.arguments.run = options.runs.front();
  if (!options.to.empty()) return send_run(options, console);
  if (tables && options.arguments.output.empty())
    return fail(console, {"export: tables need a directory", "",
                          "umaskaudit export RUN --format tables -o LAKE", ExitCode::usage});
  const bool database = options.format == Format::sqlite;
  if (database && options.arguments.output.empty())
    return fail(console, {"export: a database cannot go to standard output", "",
                          "umaskaudit export RUN --format sqlite -o FILE", ExitCode::usage});
  if (database && OutputFile::compresses(options.arguments.output))
    return fail(console,
                {"export: a database cannot be compressed as it is written", "",
                 "a name without .gz or .zst behind -o, and gzip(1) afterwards", ExitCode::usage});
  if (tables) return write_all_tables(options, console);
  const auto opened = OpenedRun::open(options.arguments, console);
  if (!opened) return fail(console, opened.error());
  return database ? write_database(**opened, options.arguments.output, console)
                  : write_text(**opened, options, console);
}

}  // namespace

Action configure_export(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("RUN", options->runs,
                 "Run directory, a segment file of it, or the name of a run in .umaskaudit;\n"
                 "default: the latest run here. Several for tables")
      ->type_name("");
  add_enum_option<Format>(
      app, "-f,--format", options->format,
      {{"chrome", Format::chrome},
       {"collapsed", Format::collapsed},
       {"sqlite", Format::sqlite},
       {"ecs", Format::ecs},
       {"otlp", Format::otlp},
       {"tables", Format::tables}},
      "chrome: for Perfetto; collapsed: for flame graphs; ecs: Elastic, a line an "
      "event; otlp: OpenTelemetry logs; tables: a directory for engines")
      ->required();
  add_enum_option<exports::CollapsedBy>(
      app, "--by", options->by,
      {{"creations", exports::CollapsedBy::creations}, {"changes", exports::CollapsedBy::changes}},
      "What collapsed counts: objects created (default) or mask changes");
  app.add_option("--to", options->to,
                 "Send otlp to the collector at URL; env: to that of OTEL_EXPORTER_OTLP_ENDPOINT")
      ->type_name("URL");
  add_output_option(app, options->arguments);
  add_symbol_options(app, options->arguments);
  return [options](Invocation& invocation) { return export_run(*options, invocation.console); };
}

}  // namespace umaskaudit::commands

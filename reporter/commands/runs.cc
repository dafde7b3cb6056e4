// `ls`, `rm` and `clean`: the runs that were recorded here.
// Must never remove what is not a trace's, or what is still recorded.
// Called through the table.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <ostream>

#include "reporter/analysis/filter.h"
#include "reporter/base/clock.h"
#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/twin_format.h"
#include "reporter/record/run_store.h"
#include "reporter/text/escape.h"
#include "reporter/text/json_writer.h"
#include "reporter/text/text_table.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::commands {
namespace {

std::string ending_of(const record::StoredRun& run) {
  if (run.recording) return "recording";
  if (!run.record) return "unknown";
  if (run.record->signal != 0) return "signal " + std::to_string(run.record->signal);
  return run.record->exit_code ? "exit " + std::to_string(*run.record->exit_code) : "unknown";
}

std::uint64_t began_ns(const record::StoredRun& run) {
  return run.record ? run.record->start_real_ns : run.changed_ns;
}

std::string ls_json(const std::vector<record::StoredRun>& runs) {
  std::string out;
  for (const record::StoredRun& run : runs) {
    JsonWriter json(out);
    json.begin_object();
    json.text("name", run.name);
    json.text("path", run.path);
    json.text("program", run.record ? run.record->command : "");
    json.text("started", utc_text(began_ns(run)));
    json.boolean("recording", run.recording);
    if (run.record && run.record->exit_code) json.integer("exit_code", *run.record->exit_code);
    if (run.record && run.record->signal != 0) json.integer("signal", run.record->signal);
    json.number("bytes", run.bytes);
    json.number("segments", run.segments);
    json.boolean("latest", run.latest);
    json.end_object();
    out += '\n';
  }
  return out;
}

int list(TwinFormat format, Console& console) {
  const std::vector<record::StoredRun> runs = record::stored_runs();
  if (format == TwinFormat::json) {
    console.out << ls_json(runs);
    return 0;
  }
  if (runs.empty()) {
    if (console.verbosity != Verbosity::quiet)
      console.err << "umaskaudit: no run in '" + escape(record::store_path()) +
                         "'; umaskaudit run -- CMD records one\n";
    return 0;
  }
  TextTable table({{"RUN", Align::left, true},
                   {"STARTED"},
                   {"PROGRAM", Align::left, true},
                   {"END"},
                   {"SIZE", Align::right}},
                  0);
  for (const record::StoredRun& run : runs)
    table.add(
        {{escape(run.name) + (run.latest ? " *" : ""), run.latest ? Style::strong : Style::plain},
         utc_text(began_ns(run)),
         escape(run.record ? run.record->command : "?"),
         ending_of(run),
         size_text(run.bytes)});
  console.out << table.text(console.width, Paint(console.out_colour))
              << "* the latest, which commands take without a RUN; all are in '"
              << escape(record::store_path()) << "'\n";
  return 0;
}

int remove(const std::vector<std::string>& names, Console& console) {
  int code = 0;
  for (const std::string& name : names) {
    const Result<std::string> path = record::find_run(name);
    const Status removed = path ? record::remove_run(*path) : Status(path.error());
    if (!removed) code = fail(console, removed.error());
  }
  return code;
}

struct CleanOptions {
  std::uint64_t keep = 1;
  std::uint64_t older_ns = 0;
  bool dry = false;
};

int clean(const CleanOptions& options, Console& console) {
  std::vector<record::StoredRun> runs = record::stored_runs();
  std::erase_if(runs, [](const record::StoredRun& run) { return run.recording; });
  runs.resize(runs.size() - std::min<std::size_t>(runs.size(), options.keep));  // oldest first
  const std::uint64_t now = now_ns(CLOCK_REALTIME);
  std::erase_if(runs, [&](const record::StoredRun& run) {
    return began_ns(run) + options.older_ns > now && options.older_ns != 0;
  });
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;
  int code = 0;
  for (const record::StoredRun& run : runs) {
    if (options.dry) {
      console.out << escape(run.path) << '\n';
    } else if (const Status removed = record::remove_run(run.path); !removed) {
      code = fail(console, removed.error());
      continue;
    }
    ++count;
    bytes += run.bytes;
  }
  if (console.verbosity != Verbosity::quiet)
    console.err << "umaskaudit: " + counted(count, "run") + " of " + size_text(bytes) +
                       (options.dry ? " would be removed\n" : " removed\n");
  return code;
}

}  // namespace

Action configure_ls(CLI::App& app) {
  auto format = std::make_shared<TwinFormat>(TwinFormat::text);
  add_twin_format(app, *format, "What to write; json: a line for each run");
  return [format](Invocation& invocation) { return list(*format, invocation.console); };
}

Action configure_rm(CLI::App& app) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("RUN", *names, "Run directories, or names that ls shows")
      ->type_name("")
      ->required();
  return [names](Invocation& invocation) { return remove(*names, invocation.console); };
}

Action configure_clean(CLI::App& app) {
  auto options = std::make_shared<CleanOptions>();
  add_number(app, "--keep", options->keep, "Leave the N latest; default: 1");
  app.add_option_function<std::string>(
         "--older",
         [options](const std::string& text) {
           options->older_ns = *analysis::parse_duration(text);
         },
         "Remove only what was begun longer ago than TIME: 90s, 30m")
      ->type_name("TIME")
      ->check(CLI::Validator(
          [](std::string& text) {
            return analysis::parse_duration(text) ? std::string() : "not a time: " + text;
          },
          "", "time"));
  app.add_flag("-n,--dry-run", options->dry, "Only name what would be removed");
  return [options](Invocation& invocation) { return clean(*options, invocation.console); };
}

}  // namespace umaskaudit::commands

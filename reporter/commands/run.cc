// `run`: records CMD and everything it starts, and exits as CMD did.
// Must never change what CMD sees but LD_PRELOAD and UMASKAUDIT_OPTIONS, nor write on stdout.
// Called through the table.
#include <fcntl.h>
#include <limits.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <ostream>

#include "reporter/base/clock.h"
#include "reporter/base/output_file.h"
#include "reporter/base/text_file.h"
#include "reporter/commands/check.h"
#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/otlp.h"
#include "reporter/commands/run_summary.h"
#include "reporter/commands/see.h"
#include "reporter/inspect/proc_status.h"
#include "reporter/inspect/program.h"
#include "reporter/live/live_log.h"
#include "reporter/live/live_watch.h"
#include "reporter/record/child.h"
#include "reporter/record/code_maps.h"
#include "reporter/record/preload_environment.h"
#include "reporter/record/preload_path.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_record.h"
#include "reporter/record/run_store.h"
#include "reporter/record/segment_server.h"
#include "reporter/text/escape.h"

namespace umaskaudit::commands {
namespace {

struct Options {
  std::string directory;
  record::EarlierRun earlier = record::EarlierRun::refused;
  std::string stacks, follow, keep, max_size, max_run;
  int depth = 0;
  std::vector<std::string> raw;
  bool no_summary = false;
  bool record_argv = false;
  std::string live;  // "all", "findings"; empty: nothing
  std::vector<std::string> live_to;
  SeeOptions see;
  bool check = false;  // --check, or what only a check asks for
  CheckOptions rulings;
};

std::vector<std::string> shim_values(const Options& options) {
  std::vector<std::string> values;
  if (!options.stacks.empty()) values.push_back("stacks=" + options.stacks);
  if (!options.follow.empty()) values.push_back("follow=" + options.follow);
  if (!options.keep.empty()) values.push_back("keep=" + options.keep);
  if (!options.max_size.empty()) values.push_back("max_size=" + options.max_size);
  if (!options.max_run.empty()) values.push_back("max_run=" + options.max_run);
  if (options.depth != 0) values.push_back("depth=" + std::to_string(options.depth));
  values.insert(values.end(), options.raw.begin(), options.raw.end());
  return values;
}

// A check of CLI11: empty when the word is fine, else what is wrong.
std::string live_word(const std::string& word) {
  if (word == "all" || word == "findings") return "";
  return "invalid value '" + word + "' (expected: all, findings)";
}

record::RunRecord begin_record(const std::vector<std::string>& command, const Options& options) {
  record::RunRecord record;
  record.recorder = getpid();
  record.command = command[0];
  if (options.record_argv) record.argv = command;
  char directory[PATH_MAX];
  if (getcwd(directory, sizeof directory) != nullptr) record.directory = directory;
  if (utsname system{}; uname(&system) == 0) {
    record.host = system.nodename;
    record.machine = system.machine;
    record.kernel = system.release;
  }
  record.umask = inspect::umask_of_process("self");
  record.parent_pid = getppid();
  record.parent = inspect::name_of_process(std::to_string(record.parent_pid));
  record.ci = record::ci_job();
  record.start_real_ns = now_ns(CLOCK_REALTIME_COARSE);  // its last tick, which stamps births
  return record;
}

// The findings, where CMD's own output is not; and the code of --check: CMD's, if it has one.
int judged(const Options& options, const std::string& run, int code, Console& console) {
  CheckOptions rulings = options.rulings;
  rulings.arguments.run = run;
  Console diagnostics{.out = console.err,
                      .err = console.err,
                      .out_tty = console.err_tty,
                      .err_tty = console.err_tty,
                      .out_colour = console.err_colour,
                      .err_colour = console.err_colour,
                      .width = console.width,
                      .verbosity = console.verbosity};
  const int verdict = check(rulings, diagnostics);
  diagnostics.out.flush();
  return code != 0 ? code : verdict;
}

// The outputs of --live; both null: none.
struct Live {
  live::LiveLog* log = nullptr;
  live::LiveShip* ship = nullptr;
};

int record(const Options& options, const Live& live, const std::vector<std::string>& command,
           Console& console) {
  const record::FileSizeErrors errors;
  const Result<std::string> library = record::find_library();
  if (!library) return fail_run(console, library.error());
  const Result<record::RunDirectory> run =
      record::begin_run(options.directory, command[0], getpid(), options.earlier);
  if (!run) return fail_run(console, run.error());
  const Result<record::PreloadPath> name = record::PreloadPath::of(*library);
  const auto give_up = [&] {
    if (!run->continued) record::remove_run_directory(*run);  // nothing will ever be in it
    if (name) name->forget();
  };
  const auto fail_early = [&](const Error& error) {
    give_up();
    return fail_run(console, error);
  };
  if (!name) return fail_early(name.error());
  const inspect::ProgramFacts program = inspect::inspect_program(command[0]);
  std::vector<std::string> values = shim_values(options);
  const bool preloads = inspect::can_load(program.obstacle) && !options.see.trace;
  Sight sight(options.see, run->path, name->path(), values, program.obstacle, console);
  if (const std::string option = sight.library_option(); !option.empty()) values.push_back(option);
  // Behind the start of the tracer, which would hold the socket open.
  record::SegmentServer server(run->path);
  if (!server.option().empty()) values.push_back(server.option());
  const auto environment =
      record::preload_environment(preloads ? name->path() : "", {run->path, values});
  if (!environment) return fail_early(environment.error());
  spdlog::debug("recording into {} with {}", escape(run->path), escape(*library));

  const std::uint64_t begin_ns = now_ns(CLOCK_MONOTONIC);
  record::RunRecord record = begin_record(command, options);
  const bool exists = program.obstacle != inspect::Obstacle::not_found &&
                      program.obstacle != inspect::Obstacle::not_executable;
  if (exists && program.obstacle != inspect::Obstacle::none && !sight.sees(program.obstacle)) {
    // What can be audited in part says so itself, by a blind spot of its own.
    if (!inspect::can_audit(program.obstacle))
      record.obstacle = inspect::obstacle_name(program.obstacle);
    warn(console, "'" + command[0] + "' cannot be audited" +
                      (inspect::can_audit(program.obstacle) ? " in full: " : ": ") +
                      inspect::obstacle_text(program.obstacle) +
                      (can_trace(program.obstacle) ? "; --see=all traces it" : ""));
  }
  if (options.see.trace && exists) {
    const Result<std::string> bytes = read_text_file(program.path, "program");
    if (bytes && names_leak_sanitizer(*bytes))
      warn(console, "'" + command[0] + "' " + kLeakSanitizerWarning);
  }
  if (const Status written = record::write_run_record(run->path, record); !written)
    return fail_early(written.error());

  std::optional<live::LiveWatch> watch;
  record::SegmentTrimmer trimmer(run->path);
  const auto started = [&] {
    server.start();
    trimmer.start();
    if (live.ship != nullptr) live.ship->start();
    if (live.log != nullptr) {
      const live::LiveContent content =
          options.live == "findings" ? live::LiveContent::findings : live::LiveContent::all;
      watch.emplace(run->path, begin_ns, content, *live.log, live.ship, console).start();
    }
  };
  const Result<record::ChildEnd> end =
      record::run_child(command, *environment, started, [&] { sight.before_exec(); });
  sight.finish();
  if (!end) return fail_early(end.error());
  if (end->exec_error != 0) {
    give_up();
    return fail_exec(console, command[0], end->exec_error);
  }
  server.finish();
  record.pid = end->pid;
  record.end_real_ns = now_ns(CLOCK_REALTIME);
  record.exit_code = end->code();
  record.signal = end->signal;
  if (const Status written = record::write_run_record(run->path, record); !written)
    warn(console, written.error().what + " (" + written.error().why + ")");
  if (const std::string trouble = watch ? watch->finish() : ""; !trouble.empty())
    warn(console, "--live missed something: " + trouble);
  if (live.ship != nullptr)
    for (const std::string& trouble : live.ship->finish()) warn(console, trouble);
  const unsigned growing = trimmer.finish();
  record::keep_code_maps(run->path, record.start_real_ns);
  if (growing == 0) name->forget();
  if (options.check) return judged(options, run->path, end->code(), console);
  if (!options.no_summary && console.verbosity != Verbosity::quiet)
    print_run_summary(console, *run, growing);
  return end->code();
}

}  // namespace

Action configure_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("-o,--output", options->directory,
                 "Record into DIR (default: .umaskaudit/NAME.PID here)")
      ->type_name("DIR");
  record::add_earlier_run_options(app, options->earlier);
  add_enum_option<std::string>(app, "--stacks", options->stacks,
                               {{"all", "all"}, {"changes", "changes"}, {"none", "none"}},
                               "Which events get a stack");
  app.add_option("--depth", options->depth, "Frames of a stack at most (1-64)")
      ->type_name("N")
      ->check(CLI::Range(1, 64).description(""));
  add_enum_option<std::string>(app, "--keep", options->keep,
                               {{"first", "first"}, {"latest", "latest"}},
                               "What stays when there is no more room; default: first");
  const CLI::Validator size(
      [](std::string& text) {
        const std::size_t digits = text.find_first_not_of("0123456789");
        const bool plain = digits == std::string::npos;
        const bool unit = !plain && digits != 0 && digits + 1 == text.size() &&
                          std::strchr("KMG", text[digits]) != nullptr;
        return !text.empty() && (plain || unit) ? "" : "not a size: " + text;
      },
      "", "size");
  app.add_option("--max-size", options->max_size,
                 "Bytes that one process image may record, with K, M or G")
      ->type_name("SIZE")
      ->check(size);
  app.add_option("--max-run", options->max_run,
                 "Bytes that all of them together may take, with K, M or G")
      ->type_name("SIZE")
      ->check(size);
  add_enum_option<std::string>(app, "--follow", options->follow, {{"yes", "yes"}, {"no", "no"}},
                               "Follow children whose environment was cleaned");
  app.add_option("--options", options->raw, "An option of the library as it is, KEY=VALUE; repeat")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_see_option(app, options->see);
  app.add_flag("--record-argv", options->record_argv,
               "Keep CMD's arguments in run.json (they may hold secrets)");
  app.add_flag("--live{all}", options->live,
               "Print what happens as it happens, on standard error; --live=findings: only what "
               "the rules find")
      ->type_name("all|findings")
      ->check(live_word);
  app.add_option("--live-to", options->live_to,
                 "The same to stderr, syslog, journald, file:PATH or, as records, otlp:URL; repeat "
                 "for more")
      ->type_name("PLACE")
      ->allow_extra_args(false)
      ->check(live::check_live_place);
  app.add_flag("--no-summary", options->no_summary, "Print no summary when CMD has ended");
  app.add_flag("--check", options->check,
               "Judge the run as check does, and exit by the findings where CMD exits with 0; each "
               "of the options below implies it");
  std::vector<CLI::Option*> rulings = add_ruling_options(app, options->rulings);
  rulings.push_back(
      app.add_option("--findings", options->rulings.arguments.output,
                     "Write them to FILE, and not to standard error; .gz and .zst compress")
          ->type_name("FILE"));
  return [options, rulings, &app](Invocation& invocation) {
    if (invocation.tail.empty())
      return fail(invocation.console,
                  {"run: no program given", "", "umaskaudit run -- CMD", ExitCode::usage});
    options->check |= std::any_of(rulings.begin(), rulings.end(),
                                  [](const CLI::Option* option) { return option->count() != 0; });
    if (options->check) {
      Status ready = apply_project_file(app, options->rulings, invocation.console);
      if (ready) ready = try_rulings(options->rulings);
      // Before CMD has worked for an hour.
      if (const std::string& file = options->rulings.arguments.output; ready && !file.empty())
        ready = OutputFile::try_place(file);
      if (!ready) return fail_run(invocation.console, ready.error());
    }
    std::vector<std::string> places = options->live_to;
    if (!options->live.empty() && (places.empty() || options->live == "all"))
      places.insert(places.begin(), "stderr");
    const bool any = !places.empty();
    const Result<std::unique_ptr<live::LiveShip>> ship = ship_to(&places, invocation.console);
    if (!ship) return fail(invocation.console, ship.error());
    Result<live::LiveLog> log = live::LiveLog::open(places, invocation.console);
    if (!log) return fail(invocation.console, log.error());
    return record(*options, any ? Live{&*log, ship->get()} : Live{}, invocation.tail,
                  invocation.console);
  };
}

}  // namespace umaskaudit::commands

// `attach`: records a process that runs already, until it ends, the time is over, or Ctrl-C.
// Must never end the process, nor leave it stopped. Called through the table.
#include <signal.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <ostream>

#include "reporter/analysis/filter.h"
#include "reporter/base/clock.h"
#include "reporter/base/text_file.h"
#include "reporter/commands/command.h"
#include "reporter/commands/run_summary.h"
#include "reporter/commands/see.h"
#include "reporter/inspect/proc_status.h"
#include "reporter/record/code_maps.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_record.h"
#include "reporter/record/run_store.h"
#include "reporter/text/escape.h"
#include "reporter/text/time_text.h"
#include "reporter/tracer/tracer.h"

namespace umaskaudit::commands {
namespace {

struct Options {
  pid_t process = 0;
  std::string directory;
  record::EarlierRun earlier = record::EarlierRun::refused;
  std::uint64_t limit_ns = 0;  // 0: none
  unsigned depth = 32;
  bool no_summary = false;
};

volatile sig_atomic_t stop = 0;
std::uint64_t deadline_ns = 0;

void on_tick(int) {
  if (deadline_ns != 0 && now_ns() >= deadline_ns) stop = 1;
}

// A signal that comes just before the tracer waits does not end that wait; the next tick does.
void watch_for_end(std::uint64_t limit_ns) {
  if (limit_ns != 0) deadline_ns = now_ns() + limit_ns;
  struct sigaction end {};
  end.sa_handler = [](int) { stop = 1; };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaction(signal, &end, nullptr);
  struct sigaction tick {};
  tick.sa_handler = on_tick;
  sigaction(SIGUSR2, &tick, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGUSR2;
  timer_t timer{};
  constexpr long kTick = 50'000'000;  // ns
  const itimerspec period{{0, kTick}, {0, kTick}};
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0) timer_settime(timer, 0, &period, nullptr);
}

record::RunRecord begin_record(pid_t process) {
  const std::string pid = std::to_string(process);
  record::RunRecord record;
  record.recorder = getpid();
  record.command = inspect::name_of_process(pid);
  if (utsname system{}; uname(&system) == 0) {
    record.host = system.nodename;
    record.machine = system.machine;
    record.kernel = system.release;
  }
  if (const auto mask = inspect::umask_of_process(pid)) record.umask = *mask;
  record.pid = process;
  record.start_real_ns = now_ns(CLOCK_REALTIME_COARSE);
  return record;
}

Error cannot_attach(pid_t process, int error) {
  const std::string what = "cannot attach to process " + std::to_string(process);
  switch (error) {
    case EPERM:
      return {what, "not permitted: another user's, or a debugger or tracer has it",
              "as root, or without the debugger; sysctl kernel.yama.ptrace_scope",
              ExitCode::unreadable};
    case ESRCH:
      return {what, "no such process", "pgrep NAME", ExitCode::usage};
    default:
      return {what, std::strerror(error), "", ExitCode::unreadable};
  }
}

int attach(const Options& options, Console& console) {
  const std::string pid = std::to_string(options.process);
  const std::string name = inspect::name_of_process(pid);
  if (name.empty()) return fail(console, cannot_attach(options.process, ESRCH));
  const Result<record::RunDirectory> run =
      record::begin_run(options.directory, name, options.process, options.earlier);
  if (!run) return fail(console, run.error());
  record::RunRecord record = begin_record(options.process);
  const std::uint64_t start = inspect::start_of_process(pid).value_or(record.start_real_ns);
  tracer::TracerOptions tracing;
  tracing.recording.directory = run->path;
  tracing.recording.depth = options.depth;
  tracer::Tracer tracer(tracing, nullptr);
  unsigned threads = 0;
  const std::uint64_t begin = now_ns();
  if (const int error = tracer.attach(options.process, &threads); error != 0) {
    if (!run->continued) record::remove_run_directory(*run);
    return fail(console, cannot_attach(options.process, error));
  }
  const std::uint64_t pause = now_ns() - begin;
  if (console.verbosity != Verbosity::quiet)
    console.err << "umaskaudit: attached to '" + escape(name) + "' (" + pid + ") with " +
                       counted(threads, "thread") + " in " + duration_text(pause) +
                       "; Ctrl-C lets it go\n"
                << std::flush;
  if (const Result<std::string> maps = read_text_file("/proc/" + pid + "/maps", "mappings");
      maps && names_leak_sanitizer(*maps))
    warn(console, "'" + name + "' " + kLeakSanitizerWarning);
  if (const Status written = record::write_run_record(run->path, record); !written)
    warn(console, written.error().what + " (" + written.error().why + ")");
  watch_for_end(options.limit_ns);
  tracer.run(&stop);
  record.end_real_ns = now_ns(CLOCK_REALTIME);
  record::keep_code_maps(run->path, start);
  if (const Status written = record::write_run_record(run->path, record); !written)
    warn(console, written.error().what + " (" + written.error().why + ")");
  if (!options.no_summary && console.verbosity != Verbosity::quiet)
    print_run_summary(console, *run, 0);
  return 0;
}

}  // namespace

Action configure_attach(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("PID", options->process, "Process to record, with all its threads and children")
      ->type_name("")
      ->required()
      ->check(CLI::Range(1, 1 << 22).description(""));
  app.add_option("-o,--output", options->directory,
                 "Record into DIR (default: .umaskaudit/NAME.PID here)")
      ->type_name("DIR");
  record::add_earlier_run_options(app, options->earlier);
  app.add_option_function<std::string>(
         "--for",
         [options](const std::string& text) {
           options->limit_ns = *analysis::parse_duration(text);
         },
         "Let it go after TIME: 30s, 5m, 500ms (default: when it ends, or at Ctrl-C)")
      ->type_name("TIME")
      ->check(CLI::Validator(
          [](std::string& text) {
            return analysis::parse_duration(text) ? std::string() : "not a time: " + text;
          },
          "", "time"));
  app.add_option("--depth", options->depth, "Frames of a stack at most (1-64)")
      ->type_name("N")
      ->check(CLI::Range(1, 64).description(""));
  app.add_flag("--no-summary", options->no_summary, "Print no summary at the end");
  return [options](Invocation& invocation) { return attach(*options, invocation.console); };
}

}  // namespace umaskaudit::commands

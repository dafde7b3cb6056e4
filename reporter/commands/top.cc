// `top`: a run while it grows, as a screen that is painted anew, or once where there is no screen.
// Must never change the run, nor leave the terminal as a screen behind.
// Called through the table.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "reporter/commands/choice.h"
#include "reporter/commands/command.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/inspect/program.h"
#include "reporter/live/live_findings.h"
#include "reporter/live/live_follow.h"
#include "reporter/live/live_view.h"
#include "reporter/live/terminal.h"
#include "reporter/record/child.h"
#include "reporter/record/recorder.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_store.h"
#include "reporter/text/escape.h"

namespace umaskaudit {
namespace {

constexpr char kKeys[] = "q quit  s threads by ";  // and the order

struct Options {
  std::string run, output;
  ThreadOrder order = ThreadOrder::changes;
  EarlierRun earlier = EarlierRun::refused;
};

ThreadOrder after(ThreadOrder order) {
  if (order == ThreadOrder::changes) return ThreadOrder::created;
  return order == ThreadOrder::created ? ThreadOrder::latest : ThreadOrder::changes;
}

bool has_screen(const Console& console) {
  const char* terminal = std::getenv("TERM");
  return console.out_tty && terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
}

class Top {
 public:
  Top(LiveRun& run, std::string directory, const Options& options, std::optional<Recorder> recorder,
      const Console& console)
      : run_(run),
        directory_(std::move(directory)),
        recorder_(recorder),
        symbolizer_(SymbolOptions{}),
        stacks_(run, symbolizer_),
        findings_(directory_, console) {
    frame_.order = options.order;
    frame_.paint = Paint(console.out_colour);
  }

  // Until the reader has seen enough.
  void show() {
    Terminal terminal;
    bool more = true;
    for (bool done = false; !done;) {
      if (!over_) more = look();
      findings_.refresh(events_, over_);
      const TerminalSize size = terminal.size();
      frame_.width = size.columns;
      frame_.height = size.lines;
      frame_.footer = std::string(kKeys) + thread_order_name(frame_.order);
      terminal.paint(text());
      const char key = terminal.next_key(more && !over_ ? 0 : kLookMs);
      if (key == 's') frame_.order = after(frame_.order);
      done = key == 'q' || terminal.wants_end();
    }
  }

  // One picture: of the run as it is now, or of CMD's whole run.
  std::string snapshot(std::size_t width) {
    if (recorder_)
      while (!over_)
        if (!look() && !over_) recorder_->wait();
    while (!over_ && look()) {
    }
    if (!over_) run_.stop(visit());
    findings_.refresh(events_, true);
    frame_.width = width;
    return text();
  }

  // CMD's exit code, when it has ended; it is asked to. 0 without CMD.
  int leave(Console& console) {
    if (!recorder_) return 0;
    if (!recorder_->ended()) {
      recorder_->ask_to_end();
      warn(console, "the program was asked to end, and is waited for");
    }
    return recorder_->wait();
  }

 private:
  LiveRun::Visit visit() {
    return [this](const Event& event) {
      ++events_;
      view_.feed(event);
    };
  }

  // True: there is more to be read at once.
  bool look() {
    // Asked before the look: what was committed before the end is then seen by it.
    const bool over = recorder_ ? recorder_->ended() : run_is_over(run_, directory_);
    if (run_.poll(visit())) return true;
    if (!over) return false;
    over_ = true;
    run_.finish(visit());
    if (const auto spot = unaudited(read_run_record(directory_), run_.begin_ns())) visit()(*spot);
    return false;
  }

  std::string text() {
    // What the state is stays when the line is cut in the middle.
    frame_.title =
        std::string("umaskaudit top ") + (over_ ? "ended  " : "recording  ") + escape(directory_);
    frame_.begin_ns = run_.begin_ns();
    frame_.findings = findings_.lines();
    frame_.findings_note = findings_.note();
    return view_.text(frame_, stacks_);
  }

  LiveRun& run_;
  std::string directory_;
  std::optional<Recorder> recorder_;
  Symbolizer symbolizer_;
  StackCache stacks_;
  LiveFindings findings_;
  LiveView view_;
  LiveFrame frame_;
  std::uint64_t events_ = 0;
  bool over_ = false;
};

int watch(const Options& options, const std::string& directory, std::optional<Recorder> recorder,
          Console& console) {
  const auto run = LiveRun::open(directory);
  if (!run) return fail(console, run.error());
  Top top(**run, directory, options, recorder, console);
  if (has_screen(console))
    top.show();
  else
    console.out << top.snapshot(console.width) << std::flush;
  return top.leave(console);
}

int watch_command(const Options& options, const std::vector<std::string>& command,
                  Console& console) {
  // The recorder would say so too, but on a terminal that is a screen by then.
  const ProgramFacts program = inspect_program(command[0]);
  if (program.obstacle == Obstacle::not_found) return fail_exec(console, command[0], ENOENT);
  if (program.obstacle == Obstacle::not_executable) return fail_exec(console, command[0], EACCES);
  const Result<RunDirectory> run = begin_run(options.output, command[0], getpid(), options.earlier);
  if (!run) return fail_run(console, run.error());
  Result<Recorder> recorder = Recorder::start(run->path, command, has_screen(console));
  if (!recorder) return fail_run(console, recorder.error());
  const int code = watch(options, run->path, *recorder, console);
  if (console.verbosity != Verbosity::quiet)
    console.err << "umaskaudit: full report: umaskaudit report " + escape(run->path) + '\n';
  return code;
}

}  // namespace

Action configure_top(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("RUN", options->run, "Run directory; default: the latest run here")->type_name("");
  app.add_option("-o,--output", options->output,
                 "Record CMD into DIR (default: .umaskaudit/NAME.PID here)")
      ->type_name("DIR");
  add_earlier_run_options(app, options->earlier);
  add_choice<ThreadOrder>(app, "--sort", options->order,
                          {{"changes", ThreadOrder::changes},
                           {"created", ThreadOrder::created},
                           {"latest", ThreadOrder::latest}},
                          "Order of the threads; the key s changes it");
  return [options](Invocation& invocation) {
    Console& console = invocation.console;
    if (!options->run.empty() && !invocation.tail.empty())
      return fail(console, {"top: either a run or a program", "",
                            "umaskaudit top RUN, or umaskaudit top -- CMD", ExitCode::usage});
    if (!invocation.tail.empty()) return watch_command(*options, invocation.tail, console);
    const Result<std::string> run = find_run(options->run);
    if (!run) return fail(console, run.error());
    return watch(*options, *run, std::nullopt, console);
  };
}

}  // namespace umaskaudit

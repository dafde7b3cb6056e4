// `top`: a run while it grows, as a screen that is painted anew, or once where there is no screen.
// Must never change the run, nor leave the terminal as a screen behind.
// Called through the table.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/inspect/program.h"
#include "reporter/live/live_findings.h"
#include "reporter/live/live_follow.h"
#include "reporter/live/live_screen.h"
#include "reporter/live/live_tables.h"
#include "reporter/live/live_view.h"
#include "reporter/live/terminal.h"
#include "reporter/record/child.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_process.h"
#include "reporter/record/run_store.h"
#include "reporter/text/escape.h"
#include "reporter/text/style.h"

namespace umaskaudit::commands {
namespace {

struct Options {
  std::string run, output;
  live::ThreadOrder order = live::ThreadOrder::changes;
  record::EarlierRun earlier = record::EarlierRun::refused;
  bool once = false;
};

bool has_screen(const Options& options, const Console& console) {
  const char* terminal = std::getenv("TERM");
  return !options.once && console.out_tty && terminal != nullptr &&
         std::strcmp(terminal, "dumb") != 0 && live::Terminal::is_possible();
}

class Top {
 public:
  Top(reader::LiveRun& run, const std::string& directory, const Options& options,
      std::optional<record::RunProcess> recorder, const Console& console)
      : run_(run),
        recorder_(recorder),
        console_(console),
        order_(options.order),
        symbolizer_(symbolize::SymbolOptions{}),
        stacks_(run, symbolizer_),
        findings_(directory, console, live::FindingForm::whole) {
    facts_.directory = directory;
  }

  // Until the reader has seen enough.
  void show() {
    live::Terminal terminal(console_.out_colour);
    live::LiveScreen screen(order_, Paint(console_.out_colour));
    bool more = true;
    auto painted = Clock::now() - kBetweenPictures;
    for (bool done = false; !done;) {
      if (!over_) more = look();
      findings_.refresh(view_.counts().events, over_);
      // A pause stops the picture alone: what is read meanwhile is in view_.
      if (screen.paused() && !still_) still_ = Still{view_, facts()};
      if (!screen.paused()) still_.reset();
      if (Clock::now() - painted >= kBetweenPictures) {
        terminal.paint(picture(screen, terminal.size()));
        painted = Clock::now();
      }
      const live::Key key = terminal.next_key(more && !over_ ? 0 : live::kLookMs);
      if (key.kind != live::Key::none) painted = Clock::now() - kBetweenPictures;
      done = !screen.press(key) || terminal.wants_end();
    }
  }

  // One picture: of the run as it is now, or of CMD's whole run.
  std::string snapshot(std::size_t width) {
    if (recorder_)
      while (!over_)
        if (!look() && !over_) recorder_->wait();
    while (!over_ && look()) {
    }
    const bool over = over_;
    if (!over_) run_.stop(visit());
    findings_.refresh(view_.counts().events, true);
    facts();
    facts_.over = over;
    return live::live_picture(view_, facts_, order_, stacks_, width, Paint(console_.out_colour));
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
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kBetweenPictures{live::kLookMs / 2};

  struct Still {
    live::LiveView view;
    live::LiveFacts facts;
  };

  reader::LiveRun::Visit visit() {
    return [this](const Event& event) { view_.feed(event); };
  }

  // True: there is more to be read at once.
  bool look() {
    // Asked before the look: what was committed before the end is then seen by it.
    const bool over = recorder_ ? recorder_->ended() : live::run_is_over(run_, facts_.directory);
    if (run_.poll(visit())) return true;
    if (!over) return false;
    over_ = true;
    run_.finish(visit());
    if (const auto spot = unaudited(record::read_run_record(facts_.directory), run_.begin_ns()))
      visit()(*spot);
    return false;
  }

  const live::LiveFacts& facts() {
    facts_.begin_ns = run_.begin_ns();
    facts_.over = over_;
    facts_.ended = run_.ended();
    facts_.findings = findings_.lines();
    facts_.findings_note = findings_.note();
    return facts_;
  }

  std::vector<live::ScreenLine> picture(live::LiveScreen& screen, live::TerminalSize size) {
    if (!still_) return screen.lines(view_, facts(), stacks_, size, 0);
    const std::uint64_t waiting = view_.counts().events - still_->view.counts().events;
    return screen.lines(still_->view, still_->facts, stacks_, size, waiting);
  }

  reader::LiveRun& run_;
  std::optional<record::RunProcess> recorder_;
  const Console& console_;
  live::ThreadOrder order_;
  symbolize::Symbolizer symbolizer_;
  analysis::StackCache stacks_;
  live::LiveFindings findings_;
  live::LiveView view_;
  live::LiveFacts facts_;
  std::optional<Still> still_;
  bool over_ = false;
};

int watch(const Options& options, const std::string& directory,
          std::optional<record::RunProcess> recorder, Console& console) {
  const auto run = reader::LiveRun::open(directory);
  if (!run) return fail(console, run.error());
  Top top(**run, directory, options, recorder, console);
  if (has_screen(options, console))
    top.show();
  else
    console.out << top.snapshot(console.width) << std::flush;
  return top.leave(console);
}

int watch_command(const Options& options, const std::vector<std::string>& command,
                  Console& console) {
  // The recorder would say so too, but on a terminal that is a screen by then.
  const inspect::ProgramFacts program = inspect::inspect_program(command[0]);
  if (program.obstacle == inspect::Obstacle::not_found)
    return fail_exec(console, command[0], ENOENT);
  if (program.obstacle == inspect::Obstacle::not_executable)
    return fail_exec(console, command[0], EACCES);
  const Result<record::RunDirectory> run =
      record::begin_run(options.output, command[0], getpid(), options.earlier);
  if (!run) return fail_run(console, run.error());
  Result<record::RunProcess> recorder =
      record::RunProcess::start(run->path, command, has_screen(options, console));
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
  record::add_earlier_run_options(app, options->earlier);
  add_enum_option<live::ThreadOrder>(app, "--sort", options->order,
                                     {{"changes", live::ThreadOrder::changes},
                                      {"created", live::ThreadOrder::created},
                                      {"latest", live::ThreadOrder::latest},
                                      {"name", live::ThreadOrder::name},
                                      {"pid", live::ThreadOrder::pid}},
                                     "Order of the threads; the key s changes it");
  app.add_flag("--once", options->once, "Print one picture instead, also on a terminal");
  return [options](Invocation& invocation) {
    Console& console = invocation.console;
    if (!options->run.empty() && !invocation.tail.empty())
      return fail(console, {"top: either a run or a program", "",
                            "umaskaudit top RUN, or umaskaudit top -- CMD", ExitCode::usage});
    if (!invocation.tail.empty()) return watch_command(*options, invocation.tail, console);
    const Result<std::string> run = record::find_run(options->run);
    if (!run) return fail(console, run.error());
    return watch(*options, *run, std::nullopt, console);
  };
}

}  // namespace umaskaudit::commands

// See live_watch.h. The lines are those of `timeline`: whoever reads one can find it again later.
#include "reporter/live/live_watch.h"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "reporter/base/quiet_thread.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/live/live_follow.h"
#include "reporter/render/timeline_text.h"

namespace umaskaudit {
namespace {

spdlog::level::level_enum level_of(const Event& event) {
  if (std::holds_alternative<LossEvent>(event)) return spdlog::level::err;
  return std::holds_alternative<BlindSpotEvent>(event) ? spdlog::level::warn : spdlog::level::info;
}

}  // namespace

struct LiveWatch::State {
  std::string directory;
  std::uint64_t begin_ns;
  LiveLog& log;
  std::thread thread;
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false;
  std::string trouble;

  void watch();
  void tell(LiveRun& run);
  bool wait_for_end();
};

// Sleeps until the next look; true: there is none, CMD has ended.
bool LiveWatch::State::wait_for_end() {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, std::chrono::milliseconds(kLookMs), [this] { return over; });
}

void LiveWatch::State::tell(LiveRun& run) {
  Symbolizer symbolizer{SymbolOptions{}};
  StackCache stacks(run, symbolizer);
  const auto visit = [&](const Event& event) {
    const std::uint64_t time_ns =
        std::visit([](const EventBase& base) { return base.time_ns; }, event);
    if (!is_story(event) || time_ns < begin_ns) return;
    log.write(level_of(event), run.real_ns(time_ns), [&](Paint paint) {
      std::string line;
      append_timeline(line, event, stacks, TimelineStyle{begin_ns, paint, true});
      line.pop_back();  // the sinks end lines
      return line;
    });
  };
  bool more = true;
  while (more || !wait_for_end()) {
    more = run.poll(visit);
    log.flush();
  }
  run.finish(visit);
  if (const auto spot = unaudited(read_run_record(directory), begin_ns)) visit(*spot);
  log.flush();
}

void LiveWatch::State::watch() {
  try {
    const auto run = LiveRun::open(directory);
    if (run)
      tell(**run);
    else
      trouble = run.error().what + " (" + run.error().why + ")";
  } catch (const std::exception& error) {
    trouble = error.what();
  }
}

LiveWatch::LiveWatch(std::string directory, std::uint64_t begin_ns, LiveLog& log)
    : state_(new State{std::move(directory), begin_ns, log, {}, {}, {}, false, {}}) {}

LiveWatch::~LiveWatch() { finish(); }

void LiveWatch::start() {
  state_->thread = start_quiet_thread([state = state_.get()] { state->watch(); });
}

std::string LiveWatch::finish() {
  if (!state_->thread.joinable()) return {};
  {
    const std::lock_guard lock(state_->mutex);
    state_->over = true;
  }
  state_->changed.notify_one();
  state_->thread.join();
  return state_->trouble.empty() ? state_->log.trouble() : state_->trouble;
}

}  // namespace umaskaudit

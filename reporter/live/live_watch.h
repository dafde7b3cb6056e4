// The thread of `run --live` that tells the events of CMD, or what the rules find, while `run`
// waits for it. Must never take a signal that is meant for CMD, nor be started before CMD is: a
// fork copies only the thread that calls it. Called by `run`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "reporter/base/console.h"
#include "reporter/live/live_log.h"
#include "reporter/live/live_ship.h"

namespace umaskaudit {

// What is told.
enum class LiveTold : std::uint8_t { all, findings };

class LiveWatch {
 public:
  // `directory`: the run's; events before `begin_ns` (CLOCK_MONOTONIC) are an earlier run's.
  // `log`, `ship` and `console` must outlive the watch. `ship`: gets the same as records, and all
  // events where lines are told of those only that tell the story; null: nothing is shipped.
  LiveWatch(std::string directory, std::uint64_t begin_ns, LiveTold told, LiveLog& log,
            LiveShip* ship, const Console& console);
  ~LiveWatch();
  LiveWatch(const LiveWatch&) = delete;
  LiveWatch& operator=(const LiveWatch&) = delete;

  void start();
  // CMD has ended: tells the rest and returns when it is told. What went wrong; empty: nothing.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit

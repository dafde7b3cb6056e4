// LiveWatch: the thread of `run --live` that writes lines about the events of CMD, or about the
// findings, while `run` waits for CMD. Must never take a signal that is meant for CMD, nor be
// started before CMD is: a fork copies only the thread that calls it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "reporter/base/console.h"
#include "reporter/live/live_log.h"
#include "reporter/live/live_ship.h"

namespace umaskaudit::live {

// The kinds of events for which lines are printed.
enum class LiveContent : std::uint8_t { all, findings };

class LiveWatch {
 public:
  // `directory`: the run's; events before `begin_ns` (CLOCK_MONOTONIC) are an earlier run's.
  // `log`, `ship` and `console` must outlive the watch. `ship` gets the same as records, and the
  // events that have no line (is_listed()) as well; null: nothing is shipped.
  LiveWatch(std::string directory, std::uint64_t begin_ns, LiveContent content, LiveLog& log,
            LiveShip* ship, const Console& console);
  ~LiveWatch();
  LiveWatch(const LiveWatch&) = delete;
  LiveWatch& operator=(const LiveWatch&) = delete;

  void start();
  // CMD has ended: writes the rest, and returns what went wrong; empty: nothing.
  std::string finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit::live

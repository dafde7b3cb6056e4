// Following a run until it is over.
// Must never spin: between two looks at a quiet run it sleeps.
// Called by `report --follow`, `run --live` and `top`.
#pragma once

#include <functional>
#include <string>

#include "reporter/reader/live_run.h"

namespace umaskaudit {

// True when nobody will record into `directory` any more, as far as can be told: `run` wrote how
// CMD ended; or nobody will, because `run` is gone, or was never there, and no process that
// recorded is left.
bool run_is_over(const LiveRun& run, const std::string& directory);

// Milliseconds between two looks.
inline constexpr int kLookMs = 100;

// From now on SIGINT, SIGTERM and SIGHUP are taken for the wish to end, where they were not
// ignored.
void watch_for_interrupts();
bool interrupted();

// Tells every event to `visit` until the run is over or interrupted(). `looked` is called after
// each look.
void follow(LiveRun& run, const std::string& directory, const LiveRun::Visit& visit,
            const std::function<void()>& looked);

}  // namespace umaskaudit

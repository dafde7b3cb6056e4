// Follows a run until it is over.
// Must never spin: between two reads of a run without new records it sleeps.
#pragma once

#include <functional>
#include <string>

#include "reporter/reader/live_run.h"

namespace umaskaudit::live {

// True when no process will record into `directory` any more, as far as can be known: `run` wrote
// how CMD ended; or there is no such `run` (any more), and no process that recorded still runs.
bool run_is_over(const reader::LiveRun& run, const std::string& directory);

// Milliseconds between two reads.
inline constexpr int kLookMs = 100;

// From now on SIGINT, SIGTERM and SIGHUP make interrupted() true, where they were not ignored.
void watch_for_interrupts();
bool interrupted();

// Calls `visit` for every event until the run is over or interrupted(). `looked` is called after
// each read.
void follow(reader::LiveRun& run, const std::string& directory, const reader::LiveRun::Visit& visit,
            const std::function<void()>& looked);

}  // namespace umaskaudit::live

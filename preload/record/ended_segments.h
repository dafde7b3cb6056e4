// Takes away the segments of images that have ended, when a run may not take more (keep=latest).
// Must never take one that a process still has mapped, or that is not this user's.
// Called by segment.cc while an image begins.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// Before an image begins, where the run takes five eighths of what it may: the oldest first, until
// it takes a sixteenth less than that. What they held is added to the totals of `state`. Opens,
// maps and removes files below `directory`; not async-signal-safe.
void drop_ended_segments(int directory, trace::RunState& state);

}  // namespace umaskaudit::shim

// Removes the segments of images that have ended when a run reaches its size limit (keep=latest).
// Must never remove one that a process still has mapped, or that another user owns.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// Call before an image begins: when the run takes more than five eighths of its bound, removes the
// oldest until it takes a sixteenth less than that. The removed events are added to the totals of
// `state`. Opens, maps and removes files below `directory`; not async-signal-safe.
void drop_ended_segments(int directory, trace::RunState& state);

}  // namespace umaskaudit::shim

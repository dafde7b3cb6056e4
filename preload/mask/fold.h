// Records mask changes, and folds those that a thread makes and undoes again and again: one record
// for all of them, in a cell of the segment's header while it grows (trace/format.h).
// Must never fold a change that anything met: what was recorded or looked at the mask between two
// changes ends the fold, and the changes beside it keep their times. Must never wait: a handler may
// have interrupted this very code. Called by mask_change.cc; async-signal-safe.
#pragma once

#include "preload/mask/fs_context.h"
#include "preload/record/recorder.h"

namespace umaskaudit::shim {

void write_mask_change(const Task& task, const Author& author, const trace::Umask& record);

// A creation that met changes is about to be recorded: a fold of its context is over, so that its
// record comes first, for those who read while the run grows.
void end_met_fold(const Task& task);

// In a forked child: folds that are not over are its parent's.
void forget_folds();

}  // namespace umaskaudit::shim

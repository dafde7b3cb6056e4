// Records mask changes, and folds those that a thread makes and undoes again and again: one record
// for all of them, kept in a cell of the segment's header while it grows (trace/format.h).
// Must never fold a change that something depends on: when anything was recorded or read the mask
// between two changes, the fold ends, and both changes are recorded with their own times. Must
// never wait: a signal handler may have interrupted this code. Called by mask_change.cc;
// async-signal-safe.
//
// Worked example. A thread calls umask(0077) at site A and umask(0022) at site B in a loop, and
// creates nothing in between:
//
//     number  1     2     3     ...  8     9     10    11    12    13    14
//     call    A 077 B 022 A 077 ...  B 022 A 077 B 022 A 077 B 022 A 077 B 022
//
// Changes 1 to 8 are plain records (kLearn in fold.cc). From 9 on each change equals the one two
// before it and nothing was recorded since, so it only updates the cell: first and last number,
// times, and for each site the shortest, longest and total time that the previous mask had been in
// force. After change 13 another thread creates a file under 0077, and its snapshot calls meet():
// change 14 does not continue the fold. Changes 9 to 13 become one record, which has the time of
// 13, so the reader can turn 13 into an event of its own: the beginning of the window that the file
// fell into. 14 is a plain record, and ends that window. The next fold may begin with change 16.
#pragma once

#include "preload/mask/fs_context.h"
#include "preload/record/recorder.h"

namespace umaskaudit::shim {

void write_mask_change(const Task& task, const Author& author, const trace::Umask& record);

// Before a creation that read a folded change's mask is recorded: ends the fold of its context, so
// that the fold's record comes first for readers of a growing run.
void end_met_fold(const Task& task);

// In a forked child: drops the folds in progress, which are the parent's.
void forget_folds();

}  // namespace umaskaudit::shim

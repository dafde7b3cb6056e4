// Whether the library and the run directory can be had where a program is about to start: in
// another root, in another mount name space, as another user. Must never open anything but the
// socket of `umaskaudit run`: what the modes say is enough. Called by exec_call.h's users.
#pragma once

#include "preload/process/exec_target.h"
#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

// Keeps whom we were started as. Once, at start.
void remember_user();

// `entry`: our part of LD_PRELOAD. Async-signal-safe.
Obstacle find_obstacle_of_place(const char* entry);
// Appends why, for a run directory: which user, which directory, whose it is.
void describe_place(trace::Blind reason, TextBuffer& text);

}  // namespace umaskaudit::shim

// Tests whether a program about to start can reach the library and the run directory: in another
// root, in another mount name space, as another user. Must never open anything but the socket of
// `umaskaudit run`: modes are enough.
#pragma once

#include "preload/process/exec_target.h"
#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

// Stores the user that this image started as. Once, at the start.
void remember_user();

// `entry`: our entry of LD_PRELOAD. Async-signal-safe.
Obstacle find_obstacle_of_place(const char* entry);
// For a run directory that cannot be used, appends which user, which directory, and its owner.
void describe_place(trace::Blind reason, TextBuffer& text);

}  // namespace umaskaudit::shim

// Asks the kernel whether a process still runs.
#pragma once

#include <sys/types.h>

namespace umaskaudit {

// Whether `pid` is a process with a thread that runs, also another user's. False for a zombie,
// which its parent has not waited for (in a container without an init it never will), and for 0.
bool is_running(pid_t pid);

}  // namespace umaskaudit

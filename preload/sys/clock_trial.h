// Whether the clock can go on being read once clock_gettime(2) is barred: only by a vDSO that needs
// no system call for it.
// Must never try that in a task of the program's, or make a child that its waits could find.
// Called by seccomp.cc before a filter is installed.
#pragma once

namespace umaskaudit::shim {

// Stops the clock (sys.h) if reading it would be a system call, or that cannot be found out. To be
// called while that call is still allowed, and only when it will not be: takes as long as making a
// thread. Does nothing where it is barred already. Async-signal-safe, changes no errno.
void stop_clock_without_vdso();

}  // namespace umaskaudit::shim

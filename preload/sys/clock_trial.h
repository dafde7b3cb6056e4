// Tests whether the clock can still be read once clock_gettime(2) is barred: only where the vDSO
// needs no system call for it.
// Must never run that test in a task of the program's, or make a child that the program's wait(2)
// could find. Called by seccomp.cc before a filter is installed.
#pragma once

namespace umaskaudit::shim {

// Stops the clock (sys.h) if reading it would be a system call, or if that cannot be found out.
// Call it while clock_gettime(2) is still allowed, and only when it is about to be barred: it takes
// as long as creating a thread. No effect where the call is barred already. Async-signal-safe,
// leaves errno alone.
void stop_clock_without_vdso();

}  // namespace umaskaudit::shim

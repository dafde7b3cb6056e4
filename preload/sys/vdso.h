// The kernel's own clock_gettime(2), in the page that it maps into each process (vdso(7)).
// Must never go through libc's, which other preloads replace: libfaketime's tells the program's
// time, not ours. Called once, at the start.
#pragma once

#include <ctime>

namespace umaskaudit::shim {

using ClockGettime = int (*)(clockid_t, timespec*);

// Null where the kernel maps no such page, or where somebody hides it, as valgrind does.
ClockGettime vdso_clock();

}  // namespace umaskaudit::shim

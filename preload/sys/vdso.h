// The kernel's own clock_gettime(2), in the page that it maps into each process (vdso(7)).
// Must never go through libc's, which other preloads replace: libfaketime's returns the program's
// time.
#pragma once

#include <ctime>

namespace umaskaudit::shim {

using ClockGettime = int (*)(clockid_t, timespec*);

// Null where the kernel maps no such page, or valgrind hides it.
ClockGettime vdso_clock();

}  // namespace umaskaudit::shim

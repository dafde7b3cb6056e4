// Another preload whose umask makes the call by syscall(2), a name that a shim may wrap as well.
// Ground truth: the program under both ends, and its mask is the one that it set.
// Preloaded behind the shim by test_survival.py.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" mode_t umask(mode_t mask) noexcept {
  return static_cast<mode_t>(syscall(SYS_umask, mask));
}

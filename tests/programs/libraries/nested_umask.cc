// Another preload whose umask and mkdir make the call by syscall(2), a name that a shim may
// wrap as well. Ground truth: the program under both ends, its mask is the one that it set, and
// each object was asked for once. Preloaded behind the shim by test_survival.py.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" mode_t umask(mode_t mask) noexcept {
  return static_cast<mode_t>(syscall(SYS_umask, mask));
}

extern "C" int mkdir(const char* path, mode_t mode) noexcept {
  return static_cast<int>(syscall(SYS_mkdirat, AT_FDCWD, path, mode));
}

// A shim with one habit that a program cannot bear. Built once for each:
//   FAULTY_STACK  formats its lines in a large array
//   FAULTY_ERRNO  looks around after the call, and leaves errno behind
//   FAULTY_ASK    asks the kernel who is calling, each time
//   FAULTY_READ   reads the mask by writing it
//   FAULTY_TLS    keeps much per thread, where access is fastest
//   FAULTY_UNWIND brings an unwinder (libunwind exports libgcc_s's names, too)
//   FAULTY_EAGER  finds the real functions in its constructor
// Must never be taken for ours. Used by tests/e2e/test_victims.py.
#include <dlfcn.h>

#include <cstdarg>

#include "victim.h"

#ifdef FAULTY_UNWIND
extern "C" int unw_backtrace(void** buffer, int size);
#endif

namespace {

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

#ifdef FAULTY_TLS
__attribute__((tls_model("initial-exec"))) thread_local volatile char lines[64 << 10];
#endif

void misbehave(const char* path) {
#if defined(FAULTY_STACK)
  volatile char line[64 << 10];
  // In each page: the guard page is one of them.
  for (std::size_t end = sizeof(line); end > 0; end -= 1024) line[end - 1] = path[0];
#elif defined(FAULTY_ERRNO)
  errno = ENOENT;
#elif defined(FAULTY_ASK)
  (void)!getppid();
#elif defined(FAULTY_READ)
  static const auto set = next<mode_t (*)(mode_t)>("umask");
  set(set(0));
#elif defined(FAULTY_UNWIND)
  void* frames[8];
  unw_backtrace(frames, 8);
#elif defined(FAULTY_TLS)
  lines[0] = path[0];
#endif
  (void)path;
}

using Mkdir = int (*)(const char*, mode_t);
using Open = int (*)(const char*, int, mode_t);
#ifdef FAULTY_EAGER
Mkdir real_mkdir;
Open real_open;
__attribute__((constructor)) void find_them() {
  real_mkdir = next<Mkdir>("mkdir");
  real_open = next<Open>("open");
}
#else
int real_mkdir(const char* path, mode_t mode) {
  static const auto real = next<Mkdir>("mkdir");
  return real(path, mode);
}
int real_open(const char* path, int flags, mode_t mode) {
  static const auto real = next<Open>("open");
  return real(path, flags, mode);
}
#endif

}  // namespace

extern "C" int mkdir(const char* path, mode_t mode) noexcept {
  const int result = real_mkdir(path, mode);
  if (result == 0) misbehave(path);
  return result;
}

extern "C" int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  const int fd = real_open(path, flags, mode);
  if (fd >= 0) misbehave(path);
  return fd;
}

extern "C" int openat(int dirfd, const char* path, int flags, ...) {
  static const auto real = next<int (*)(int, const char*, int, mode_t)>("openat");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  const int fd = real(dirfd, path, flags, mode);
  if (fd >= 0) misbehave(path);
  return fd;
}

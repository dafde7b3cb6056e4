// Makes directories by system calls of its own and by libc, and calls that do not matter.
// Ground truth: what the kernel answers. A filter that is to stop the former stops nothing else.
// Usage: inline_calls DIR [LIBRARY]: with LIBRARY, that one makes them.
#include "../inline_calls.h"

#include <dlfcn.h>

#include "victim.h"

namespace {

void show(const char* what, long result) {
  std::printf("%s %s\n", what, result < 0 ? std::strerror(static_cast<int>(-result)) : "ok");
}

// The number is not known here.
[[gnu::noinline]] long any(long number, long a, long b, long c) {
  return inlined::call(number, a, b, c);
}

long by_libc(const std::string& path) { return mkdir(path.c_str(), 0750) == 0 ? 0 : -errno; }

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (argc > 2) {
    void* library = dlopen(argv[2], RTLD_NOW);
    if (library == nullptr) victim::die(dlerror());
    const auto make = reinterpret_cast<long (*)(const char*)>(dlsym(library, "inlined_mkdirat"));
    show("library", make((dir + "/by-library").c_str()));
    return 0;
  }
  const std::string inlined_path = dir + "/inlined";
  const std::string any_path = dir + "/any";
  show("inlined", inlined::mkdirat(inlined_path.c_str()));
  show("any", any(SYS_mkdirat, AT_FDCWD, reinterpret_cast<long>(any_path.c_str()), 0750));
  show("libc", by_libc(dir + "/libc"));
  show("syscall",
       syscall(SYS_mkdirat, AT_FDCWD, (dir + "/syscall").c_str(), 0750) == 0 ? 0 : -errno);
  show("umask", inlined::call(SYS_umask, 022, 0, 0));
  show("getppid", inlined::call(SYS_getppid, 0, 0, 0));
  show("getppid by any", any(SYS_getppid, 0, 0, 0));
  const long opened =
      inlined::call(SYS_openat, AT_FDCWD, reinterpret_cast<long>("/dev/null"), O_RDONLY);
  show("open", opened);
  const pid_t child = victim::need(fork(), "fork");
  if (child == 0) _exit(by_libc(dir + "/by-child") == 0 ? 0 : 1);
  int status = 0;
  victim::need(static_cast<int>(syscall(SYS_wait4, child, &status, 0, nullptr)), "wait4");
  show("child", -status);
  return 0;
}

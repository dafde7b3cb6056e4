// A statically linked program: no loader, no preload. Usage: static_hello DIR [PROGRAM ARG...]
// Ground truth: it creates an object that no shim can see.
// The auditor must say so: a blind spot, exec-static.
// PROGRAM takes its place, two ticks of the clock that births are stamped with later.
#include <time.h>
#include <unistd.h>

#include "victim.h"

namespace {
long tick() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_nsec;
}
}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0027);
  victim::need(mkdir((dir + "/made-static").c_str(), 0777), "mkdir");
  std::puts("hello");
  if (argc <= 2) return 0;
  std::fflush(stdout);
  for (int ticks = 0; ticks < 2; ++ticks)
    for (const long begun = tick(); tick() == begun;) continue;
  execv(argv[2], argv + 2);
  return 1;
}

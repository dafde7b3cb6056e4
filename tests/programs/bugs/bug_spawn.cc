// golang/go, issue 56016: a child started by one thread inside the umask window of another keeps
// the temporary mask. The child prints its mask, read from /proc. Usage: bug_spawn DIR [COUNT]
#include <spawn.h>
#include <sys/wait.h>

#include "bug_victim.h"

namespace {

unsigned umask_of_proc() {
  FILE* status = std::fopen("/proc/thread-self/status", "re");
  if (status == nullptr) victim::die("/proc/thread-self/status");
  char line[256];
  unsigned mask = 0;
  while (std::fgets(line, sizeof line, status) != nullptr)
    if (std::sscanf(line, "Umask:\t%o", &mask) == 1) break;
  std::fclose(status);
  return mask;
}

// A child's exit code says whether it got the mask that it should have.
__attribute__((noinline)) bool start_process(char* self) {
  char mode[] = "--child";
  char* arguments[] = {self, mode, nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, self, nullptr, nullptr, arguments, environ) != 0)
    victim::die("posix_spawn");
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  return WEXITSTATUS(status) == 0;
}

__attribute__((noinline)) void listen_unix() {
  const mode_t old = umask(0);
  umask(old);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--child") == 0) return umask_of_proc() == 022 ? 0 : 1;
  victim::directory(argc, argv);
  const int count = argc > 2 ? std::atoi(argv[2]) : 50;
  umask(022);
  int wrong = 0;
  bug::race(
      "starter",
      [&] {
        for (int i = 0; i < count; ++i) wrong += start_process(argv[0]) ? 0 : 1;
      },
      [] { listen_unix(); });
  std::printf("{\"started\":%d,\"wrong\":%d}\n", count, wrong);
  return 0;
}

// Starts programs by vfork and exec from ever deeper in its stack, as a shell does whose functions
// call each other, in an environment without the preload. Ground truth: all of them ran.
// A shim whose child takes something for the exec, and never comes back to return it, runs out.
#include <sys/wait.h>

#include "victim.h"

namespace {

constexpr int kDepths = 40;

// NOLINTNEXTLINE(misc-no-recursion): that is what it is about
int run_from(int depth) {
  volatile char room[512];
  room[0] = static_cast<char>(depth);
  char name[] = "true";
  char* argv[] = {name, nullptr};
  char* environment[] = {nullptr};
  const pid_t child = vfork();
  if (child == 0) {
    execve("/bin/true", argv, environment);
    _exit(99);
  }
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (status != 0) victim::die("the child failed");
  return depth == 0 ? room[0] : run_from(depth - 1) + room[0];
}

}  // namespace

int main() { return run_from(kDepths - 1) == kDepths * (kDepths - 1) / 2 ? 0 : 1; }

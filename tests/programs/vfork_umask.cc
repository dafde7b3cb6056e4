// A vfork child, which shares our memory but not our fs context, changes its umask and creates.
// Ground truth: the child's objects come out under its mask, the parent's still under 022.
// A cache of the mask that is one per process tells lies about the parent from then on.
#include <sched.h>
#include <sys/wait.h>
#include <csignal>

#include "victim.h"

namespace {

std::string in_child;
alignas(16) char child_stack[65536];

// As CPython's subprocess(umask=) does, but with creations, which show the child's own mask.
void child_body() {
  umask(0077);
  if (mkdir(in_child.c_str(), 0777) != 0) _exit(1);
}

int cloned(void*) {
  child_body();
  _exit(0);
}

void expect_success(pid_t child) {
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (status != 0) victim::die("child");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  for (int round = 0; round < 3; ++round) {
    const std::string number = std::to_string(round);
    in_child = dir + "/vfork-child" + number;
    pid_t child = vfork();
    if (child == 0) {
      child_body();
      _exit(0);
    }
    expect_success(victim::need(child, "vfork"));
    victim::print({in_child, victim::mode_of(in_child), "mkdir", nullptr, child, 0777, 0077});
    victim::create(dir + "/after-vfork" + number, 0666, 0022);

    in_child = dir + "/clone-child" + number;
    child = victim::need(
        clone(cloned, child_stack + sizeof(child_stack), CLONE_VM | CLONE_VFORK | SIGCHLD, nullptr),
        "clone");
    expect_success(child);
    victim::print({in_child, victim::mode_of(in_child), "mkdir", nullptr, child, 0777, 0077});
    victim::create(dir + "/after-clone" + number, 0666, 0022);
  }
  return 0;
}

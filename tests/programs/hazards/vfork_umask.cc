// A vfork child, which shares our memory but not our fs context, changes its umask and creates.
// Ground truth: the child's objects come out under its mask, the parent's still under 022.
// A cache of the mask that is one per process tells lies about the parent from then on.
#include <sched.h>
#include <sys/wait.h>
#include <csignal>
#include <thread>

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

// By clone(2), whose child has the TLS of the thread that calls it.
void clone_one(const std::string& dir, const std::string& name, int flags) {
  in_child = dir + "/child-" + name;
  const pid_t child = victim::need(
      clone(cloned, child_stack + sizeof(child_stack), CLONE_VM | SIGCHLD | flags, nullptr),
      "clone");
  expect_success(child);
  victim::print({in_child, victim::mode_of(in_child), "mkdir", nullptr, child, 0777, 0077});
  victim::create(dir + "/after-" + name, 0666, 0022);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  for (int round = 0; round < 3; ++round) {
    const std::string number = std::to_string(round);
    in_child = dir + "/child-vfork" + number;
    const pid_t child = vfork();
    if (child == 0) {
      child_body();
      _exit(0);
    }
    expect_success(victim::need(child, "vfork"));
    victim::print({in_child, victim::mode_of(in_child), "mkdir", nullptr, child, 0777, 0077});
    victim::create(dir + "/after-vfork" + number, 0666, 0022);
    clone_one(dir, "clone" + number, CLONE_VFORK);
  }
  // A child that runs beside its maker, a thread that made none before.
  std::thread([&] {
    victim::create(dir + "/before-beside", 0666, 0022);
    clone_one(dir, "beside", 0);
  }).join();
  return 0;
}

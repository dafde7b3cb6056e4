// Children by raw clone(2) in each combination of shared memory and shared fs context. Each sets
// the mask to 0077 and creates; the parent, at 0022 before, creates afterwards.
// Ground truth: fstat, and the mask that /proc says the parent has then: 0077 where the context is
// shared, 0022 where not. Usage: clone_ways DIR fork|fs|vm|vm-fs
#include <sched.h>
#include <sys/wait.h>
#include <csignal>
#include <fstream>

#include "victim.h"

namespace {

struct Way {
  const char* name;
  int flags;
};
// A child in our memory must end before we go on: it has our thread's TLS.
constexpr Way kWays[] = {
    {"fork", 0},
    {"fs", CLONE_FS},
    {"vm", CLONE_VM | CLONE_VFORK},
    {"vm-fs", CLONE_VM | CLONE_VFORK | CLONE_FS},
};

std::string in_child;
alignas(16) char child_stack[65536];

int child_body(void*) {
  umask(0077);
  const int fd = open(in_child.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666);
  _exit(fd >= 0 ? 0 : 1);
}

int own_mask() {
  std::ifstream status("/proc/thread-self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Umask:\t", 0) == 0) return std::stoi(line.substr(7), nullptr, 8);
  }
  return -1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  for (const Way& way : kWays) {
    if (argc < 3 || std::strcmp(argv[2], way.name) != 0) continue;
    victim::create(dir + "/before", 0666, 0022);
    in_child = dir + "/child";
    const pid_t child = victim::need(
        clone(child_body, child_stack + sizeof child_stack, way.flags | SIGCHLD, nullptr), "clone");
    int status = 0;
    victim::need(waitpid(child, &status, 0), "waitpid");
    if (status != 0) victim::die("child");
    victim::print({in_child, victim::mode_of(in_child), "open", nullptr, child, 0666, 0077});
    victim::create(dir + "/after", 0666, own_mask());
    return 0;
  }
  victim::die("no such way");
}

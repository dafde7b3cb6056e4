// A task with our memory and our fs context, but a process of its own (clone(2) with CLONE_VM and
// CLONE_FS), is killed at any moment while it toggles the umask. True: our own umask calls return,
// and each file has the mode that fstat(2) says: killed_sharer DIR [ROUNDS].
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <csignal>

#include "victim.h"

namespace {

std::atomic<unsigned> toggles = 0;

int toggle_for_ever(void*) {
  for (;;) {
    umask(umask(077));
    toggles.fetch_add(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = victim::directory(argc, argv);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 10;
  constexpr std::size_t kStack = 1 << 20;
  void* stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED) return 99;
  for (int i = 0; i < rounds; ++i) {
    toggles = 0;
    const pid_t child = victim::need(clone(toggle_for_ever, static_cast<char*>(stack) + kStack,
                                           CLONE_VM | CLONE_FS | SIGCHLD, nullptr),
                                     "clone");
    const auto enough = static_cast<unsigned>(1 + i * 7 % 50);
    while (toggles.load() < enough) sched_yield();
    victim::need(kill(child, SIGKILL), "kill");
    // Not waited for yet: it may be a zombie while we call.
    umask(022);
    victim::need(waitpid(child, nullptr, __WALL), "waitpid");
    umask(022);
    victim::create(directory + "/f" + std::to_string(i), 0666, 022);
  }
  return 0;
}

// Makes tasks by clone(2) in all combinations of shared memory and shared fs context, as processes
// and as threads, by libc's function and by number. Each child sets a mask of its own and creates;
// then its maker creates. Ground truth: fstat, and the field Umask of /proc/thread-self/status.
#include <linux/futex.h>
#include <sched.h>
#include <sys/wait.h>

#include "victim.h"

namespace {

constexpr mode_t kMakers = 0022;
constexpr mode_t kChilds = 0057;

alignas(16) char stack[1 << 16];
std::string path;
std::atomic<int> child_tid = 0;
std::atomic<int> alive = 0;  // a thread's: the kernel clears it (CLONE_CHILD_CLEARTID)

// The kernel's word for the mask of the calling thread.
int mask_now() {
  char text[256] = {};
  const int fd = victim::need(open("/proc/thread-self/status", O_RDONLY), "status");
  victim::need(read(fd, text, sizeof text - 1), "read");
  close(fd);
  const char* field = std::strstr(text, "\nUmask:");
  return field == nullptr ? -1 : static_cast<int>(std::strtol(field + 7, nullptr, 8));
}

// Runs on what may be its maker's memory and thread-local storage: system calls only.
int work(void*) {
  child_tid = static_cast<int>(syscall(SYS_gettid));
  umask(kChilds);
  close(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666));
  return 0;
}

struct Way {
  const char* name;
  unsigned long flags;
  bool by_number;  // as fork(2) does it: without a stack of its own
};

void wait_for(const Way& way, pid_t child) {
  if ((way.flags & CLONE_THREAD) == 0) {
    victim::need(waitpid(child, nullptr, __WALL), "waitpid");
    return;
  }
  for (int now = alive; now != 0; now = alive) {
    syscall(SYS_futex, &alive, FUTEX_WAIT, now, nullptr, nullptr, 0);
  }
}

pid_t make(const Way& way) {
  const auto flags = way.flags | ((way.flags & CLONE_THREAD) != 0 ? 0 : SIGCHLD);
  if (way.by_number) {
    const auto child = static_cast<pid_t>(syscall(SYS_clone, flags, 0, 0, 0, 0));
    if (child == 0) _exit(work(nullptr));
    return child;
  }
  alive = 1;
  return clone(work, stack + sizeof stack, static_cast<int>(flags | CLONE_CHILD_CLEARTID), nullptr,
               nullptr, nullptr, &alive);
}

void try_out(const Way& way, const std::string& dir) {
  path = dir + "/" + way.name;
  umask(kMakers);
  victim::create(path + "-before", 0666, kMakers);
  const pid_t child = victim::need(make(way), way.name);
  wait_for(way, child);
  victim::print({path, victim::mode_of(path), "open", nullptr, child, 0666, kChilds});
  victim::create(path + "-after", 0666, mask_now());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  constexpr unsigned long kThread = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD;
  for (const Way& way : {
           Way{"copy", 0, false},
           Way{"copy-fs", CLONE_FS, false},
           Way{"memory", CLONE_VM, false},
           Way{"memory-fs", CLONE_VM | CLONE_FS, false},
           Way{"vfork", CLONE_VM | CLONE_VFORK, false},
           Way{"vfork-fs", CLONE_VM | CLONE_VFORK | CLONE_FS, false},
           Way{"thread", kThread, false},
           Way{"thread-fs", kThread | CLONE_FS, false},
           Way{"number", 0, true},
           Way{"number-fs", CLONE_FS, true},
       }) {
    try_out(way, dir);
  }
}

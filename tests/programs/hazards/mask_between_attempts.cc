// The mask changes between the two system calls that one open may become: a filter stops the one
// with O_EXCL; meanwhile another thread puts a dangling link there, and changes the mask to one
// that gives the same bits. Ground truth: the object comes of the second call, under 0023.
// Usage: mask_between_attempts DIR. Code 77: no such filters here.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <cstddef>

#include "victim.h"

namespace {

std::atomic<int> listener = -1;
std::string name;
std::string target;

// Nothing to interpose: who knows of the filter makes the call as it is written.
long unseen_seccomp(const sock_fprog* filter) {
#if defined(__x86_64__)
  long result = SYS_seccomp;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(SECCOMP_SET_MODE_FILTER), "S"(SECCOMP_FILTER_FLAG_NEW_LISTENER), "d"(filter)
               : "rcx", "r11", "memory");
  return result;
#else
  static_cast<void>(filter);
  return -1;
#endif
}

void* attend(void*) {
  while (listener < 0) sched_yield();
  for (bool first = true;; first = false) {
    seccomp_notif request{};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) continue;
    if (first) {
      victim::need(symlink(target.c_str(), name.c_str()), "symlink");
      umask(0023);
    }
    seccomp_notif_resp answer{};
    answer.id = request.id;
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  name = dir + "/link";
  target = dir + "/target";
  umask(0022);
  pthread_t thread;
  if (pthread_create(&thread, nullptr, attend, nullptr) != 0) victim::die("pthread_create");
  // Calls of openat(2) with O_EXCL, and no others.
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_EXCL, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof program[0], program};
  victim::need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  const long fd = unseen_seccomp(&filter);
  if (fd < 0) return 77;
  listener = static_cast<int>(fd);
  // Alone, the call is one, and nothing stops it.
  const int made = victim::need(open(name.c_str(), O_CREAT | O_WRONLY, 0666), "open");
  const bool second = access(target.c_str(), F_OK) == 0;
  victim::print({second ? target : name, victim::mode_of(made), "open", nullptr, victim::tid(),
                 0666, second ? 0023 : 0022});
  std::fflush(stdout);
  _exit(0);
}

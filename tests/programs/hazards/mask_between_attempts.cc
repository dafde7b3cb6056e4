// The mask changes between the two system calls that one open may become: a filter stops the one
// with O_EXCL; meanwhile another thread puts a dangling link there, and changes the mask to one
// that gives the same bits. Ground truth: the object comes of the second call, under 0023.
// Usage: mask_between_attempts DIR. Code 77: no such filters here.
#include "stopped_calls.h"

namespace {

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

void put_link_and_change_mask() {
  victim::need(symlink(target.c_str(), name.c_str()), "symlink");
  umask(0023);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  name = dir + "/link";
  target = dir + "/target";
  umask(0022);
  // Calls of openat(2) with O_EXCL, and no others.
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_EXCL, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  if (!victim::stop_calls(program, put_link_and_change_mask, unseen_seccomp)) return 77;
  // Alone, the call is one, and nothing stops it.
  const int made = victim::need(open(name.c_str(), O_CREAT | O_WRONLY, 0666), "open");
  const bool second = access(target.c_str(), F_OK) == 0;
  victim::print({second ? target : name, victim::mode_of(made), "open", nullptr, victim::tid(),
                 0666, second ? 0023 : 0022});
  std::fflush(stdout);
  _exit(0);
}

// The mask changes while mkdir(2) is under way: a filter stops the call in the kernel, and another
// thread changes the mask before it lets the call go on. Ground truth: the directory's mode, which
// the second mask gave; both masks can be meant. Usage: mask_amid_mkdir DIR. Code 77: no such
// filters here.
#include "stopped_calls.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  sock_filter program[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
#if defined(SYS_mkdir)
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdir, 1, 0),
#else
    BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0),
#endif
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mkdirat, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const auto install = [](const sock_fprog* filter) {
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, filter);
  };
  if (!victim::stop_calls(
          program, [] { umask(0027); }, install))
    return 77;
  const std::string path = dir + "/made";
  victim::need(mkdir(path.c_str(), 0777), "mkdir");
  victim::print({path, victim::mode_of(path), "mkdir", nullptr, victim::tid(), 0777, 0022});
  std::fflush(stdout);
  _exit(0);
}

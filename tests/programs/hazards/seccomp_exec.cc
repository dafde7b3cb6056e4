// Runs a program under a filter that refuses each system call which the program itself does not
// need, with EPERM, as containers do. Usage: seccomp_exec PROGRAM [ARGUMENT...]
// Ground truth: PROGRAM's own. A shim that starts under a filter knows nothing about it.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstddef>
#include <vector>

#include "victim.h"

namespace {

// What the loader, libc's start and a small program take.
const int kAllowed[] = {
    SYS_access,         SYS_arch_prctl, SYS_brk,          SYS_close,           SYS_execve,
    SYS_exit,           SYS_exit_group, SYS_fstat,        SYS_getegid,         SYS_geteuid,
    SYS_getgid,         SYS_getpid,     SYS_getppid,      SYS_getrandom,       SYS_getuid,
    SYS_mkdir,          SYS_mmap,       SYS_mprotect,     SYS_munmap,          SYS_newfstatat,
    SYS_openat,         SYS_open,       SYS_pread64,      SYS_prlimit64,       SYS_read,
    SYS_rseq,           SYS_lseek,      SYS_rt_sigreturn, SYS_set_robust_list, SYS_set_tid_address,
    SYS_chdir,          SYS_futex,      SYS_rt_sigaction, SYS_umask,           SYS_write,
    SYS_rt_sigprocmask, SYS_gettid};

}  // namespace

int main(int, char** argv) {
  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const int call : kAllowed) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  victim::need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  victim::need(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), "seccomp");
  execv(argv[1], argv + 1);
  victim::die(argv[1]);
}

// Installs a filter that kills at the first system call outside of a short list, then creates.
// Ground truth: it ends by itself, and fstat of each file; of what O_CREAT opens, lstat(2) before.
// Usage: seccomp_strict DIR [raw]
// raw: the filter is installed by syscall(2) and not by prctl(2).
// The list has what the program itself needs and what any preload must be content with.
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cstddef>
#include <vector>

#include "victim.h"

namespace {

const int kAllowed[] = {SYS_umask,          SYS_openat,       SYS_open,   SYS_close,      SYS_fstat,
                        SYS_newfstatat,     SYS_write,        SYS_gettid, SYS_exit_group, SYS_mkdir,
                        SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_brk};

void install(bool raw) {
  std::vector<sock_filter> program = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
  };
  for (const int call : kAllowed) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  victim::need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  const auto installed = raw ? syscall(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)
                             : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
  victim::need(installed, "seccomp");
}

// One place, which meets an existing file and a new one.
[[gnu::noinline]] void open_one(const std::string& path, bool met) {
  const int fd = victim::need(open(path.c_str(), O_CREAT | O_WRONLY, 0666), path.c_str());
  std::printf("{\"met\": %s}\n", met ? "true" : "false");
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  victim::create(dir + "/before", 0666, 0022);
  for (int i = 0; i < 3; ++i) open_one(dir + "/before", true);
  std::fflush(stdout);
  install(argc > 2);
  open_one(dir + "/before", true);
  open_one(dir + "/opened", false);
  open_one(dir + "/opened", true);
  for (int mask = 0; mask < 8; ++mask) {
    umask(static_cast<mode_t>(mask));
    victim::create(dir + "/inside" + std::to_string(mask), 0666, mask);
  }
  std::fflush(stdout);
  return 0;
}

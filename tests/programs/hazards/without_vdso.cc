// Runs a program as if the kernel gave it no vDSO: its auxiliary vector loses AT_SYSINFO_EHDR, so
// that even clock_gettime(2) is a system call. Usage: without_vdso PROGRAM [ARGUMENT...]
// Ground truth: PROGRAM's own; ends as it does. Code 77: this machine or its ptrace will not do it.
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <csignal>
#include <cstddef>

#include "victim.h"

namespace {

constexpr int kCannot = 77;

#if defined(__x86_64__)
// proc(5), getauxval(3): argc, argv and null, environment and null, then pairs.
void hide_vdso(pid_t child) {
  const auto word = [child](long at) { return ptrace(PTRACE_PEEKDATA, child, at, 0); };
  long at = ptrace(PTRACE_PEEKUSER, child, offsetof(user_regs_struct, rsp), 0);
  at += (word(at) + 2) * 8;
  while (word(at) != 0) at += 8;
  for (at += 8; word(at) != AT_NULL; at += 16) {
    if (word(at) == AT_SYSINFO_EHDR) ptrace(PTRACE_POKEDATA, child, at, AT_IGNORE);
  }
}
#else
void hide_vdso(pid_t) { std::_Exit(kCannot); }
#endif

}  // namespace

int main(int, char** argv) {
  const pid_t child = victim::need(fork(), "fork");
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(kCannot);
    execv(argv[1], argv + 1);
    _exit(99);
  }
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  hide_vdso(child);
  victim::need(ptrace(PTRACE_DETACH, child, 0, 0), "detach");
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  raise(WTERMSIG(status));
  return 98;
}

// The seccomp filter that makes a traced image stop only at traced calls, and its injection into an
// image that has not run yet (seccomp(2)).
// Must never be installed in a process that may be detached: without a tracer its calls fail
// (ENOSYS).
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <vector>

namespace umaskaudit::tracer {

// Returns SECCOMP_RET_TRACE for the calls of calls.def, by both numberings of x86-64 and by i386's.
std::vector<sock_filter> make_filter();

// Injection: makes a stopped task install the filter, by system calls at its current instruction,
// and restores everything.
class Injection {
 public:
  // At the exit of execve(2), before the image's first instruction. `privileged`: without
  // no_new_privs, which requires CAP_SYS_ADMIN. Null: not possible here; nothing was changed.
  static std::unique_ptr<Injection> begin(pid_t tid, bool privileged);
  ~Injection();
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;

  // Call at each stop by a signal until it is done. Nothing: not done, and the task was continued
  // by PTRACE_CONT. Else whether the filter is installed; the task is as before, still stopped.
  std::optional<bool> on_signal(int signal);
  // A signal that arrived meanwhile, to be delivered now; 0: none. Others are sent again.
  int deliver() const;

 private:
  struct State;
  explicit Injection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit::tracer

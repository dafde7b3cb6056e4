// The seccomp filter that lets a traced image stop at nothing but calls of interest, and how it
// gets into an image that has not run yet (seccomp(2)).
// Must never be put into a process that may be let go: without a tracer its calls fail (ENOSYS).
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <vector>

namespace umaskaudit::tracer {

// SECCOMP_RET_TRACE for the calls of calls.def, by both numberings of x86-64 and by i386's.
std::vector<sock_filter> make_filter();

// Makes a stopped task install the filter, by calls of its own at the place where it stands, and
// puts everything back.
class Injection {
 public:
  // At the exit of execve(2): the image's first instruction is next. `privileged`: without
  // no_new_privs, which takes CAP_SYS_ADMIN. Null: it cannot be done here; nothing was changed.
  static std::unique_ptr<Injection> begin(pid_t tid, bool privileged);
  ~Injection();
  Injection(const Injection&) = delete;
  Injection& operator=(const Injection&) = delete;

  // At each stop by a signal, while this goes on. Nothing: it goes on, and the task with it, by
  // PTRACE_CONT. Else whether the filter is there; the task is as it was, still stopped.
  std::optional<bool> on_signal(int signal);
  // Signals that came meanwhile, to be delivered now; 0: none. The others are sent again.
  int deliver() const;

 private:
  struct State;
  explicit Injection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit::tracer

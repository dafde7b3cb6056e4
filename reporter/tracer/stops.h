// A system-call stop, as the kernel describes it (PTRACE_GET_SYSCALL_INFO, Linux 5.3).
// Must never infer an entry from the previous stop: after a signal in between all of them would be
// inverted.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace umaskaudit::tracer {

struct CallStop {
  bool entry = false;  // the entry of a call, or a stop by a filter; else the exit of a call
  std::uint32_t arch = 0;
  std::uint64_t pc = 0, sp = 0;
  std::uint64_t number = 0;  // at the entry
  std::uint64_t arguments[6] = {};
  std::int64_t result = 0;  // at the exit: -errno for an error
};

// False: the task has ended, or is not in such a stop.
bool read_call_stop(pid_t tid, CallStop& out);

}  // namespace umaskaudit::tracer

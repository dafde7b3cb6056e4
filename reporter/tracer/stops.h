// A system-call stop, as the kernel tells it (PTRACE_GET_SYSCALL_INFO, Linux 5.3).
// Must never guess an entry from the stop before: a signal in between would turn all of them round.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace umaskaudit::tracer {

struct CallStop {
  bool entry = false;  // of a call, or of one that a filter stopped; else its exit
  std::uint32_t arch = 0;
  std::uint64_t pc = 0, sp = 0;
  std::uint64_t number = 0;  // at the entry
  std::uint64_t arguments[6] = {};
  std::int64_t result = 0;  // at the exit: -errno for an error
};

// False: the task is gone, or not in such a stop.
bool read_call_stop(pid_t tid, CallStop& out);

}  // namespace umaskaudit::tracer

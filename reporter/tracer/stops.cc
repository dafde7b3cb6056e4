// Uses PTRACE_GET_SYSCALL_INFO; see stops.h.

#include "reporter/tracer/stops.h"

#include <sys/ptrace.h>

#include <algorithm>
#include <iterator>

namespace umaskaudit::tracer {

bool read_call_stop(pid_t tid, CallStop& out) {
  __ptrace_syscall_info info{};
  const auto request = static_cast<__ptrace_request>(PTRACE_GET_SYSCALL_INFO);
  if (ptrace(request, tid, sizeof info, &info) <= 0) return false;
  out.arch = info.arch;
  out.pc = info.instruction_pointer;
  out.sp = info.stack_pointer;
  switch (info.op) {
    case PTRACE_SYSCALL_INFO_ENTRY:
      out.entry = true;
      out.number = info.entry.nr;
      std::copy(std::begin(info.entry.args), std::end(info.entry.args), out.arguments);
      return true;
    case PTRACE_SYSCALL_INFO_SECCOMP:
      out.entry = true;
      out.number = info.seccomp.nr;
      std::copy(std::begin(info.seccomp.args), std::end(info.seccomp.args), out.arguments);
      return true;
    case PTRACE_SYSCALL_INFO_EXIT:
      out.result = info.exit.rval;
      return true;
    default:
      return false;
  }
}

}  // namespace umaskaudit::tracer

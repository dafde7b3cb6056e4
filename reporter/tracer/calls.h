// The traced system calls, by their number on each machine.
// Must never be queried with a number of an unknown machine: i386 has other numbers.
#pragma once

#include <cstdint>
#include <string>

namespace umaskaudit::tracer {

enum class Effect : std::uint8_t {
  none,
  mask,       // umask(2)
  open,       // open(2): creates, if its flags say so
  open_how,   // openat2(2): flags and mode lie in a struct
  make,       // mkdir(2), mknod(2): success means a new object
  bind,       // bind(2): a socket of AF_UNIX
  queue,      // mq_open(2): a name without its slash
  chmod,      // by path
  fchmod,     // by descriptor
  owner,      // chown(2): may take set-user-ID and set-group-ID away
  attribute,  // setxattr(2): may set an ACL
  rename,
  link,
  symlink,
  unlink,
  unlink_queue,
  unshare,      // may create an fs context
  root,         // changes the root directory
  name_thread,  // prctl(2), PR_SET_NAME
  exec,
  uring,  // io_uring_setup(2): its operations make no system calls
};

struct CallRow {
  const char* name;
  Effect effect;
  int native, i386;                             // numbers
  int dirfd, path, flags, mode, dirfd2, path2;  // arguments
};

// Row `index` is the call that the trace names by this number.
extern const CallRow kCalls[];
extern const unsigned kCallCount;

// Null: not traced. `arch` is an AUDIT_ARCH_ value (ptrace(2), PTRACE_GET_SYSCALL_INFO).
const CallRow* find_call(std::uint32_t arch, std::uint64_t number);
inline std::uint16_t number_in_trace(const CallRow& row) {
  return static_cast<std::uint16_t>(&row - kCalls);
}
// NUL-terminated, in the order of the rows: what a CallNames record holds.
std::string call_names();

// For a call with flags of open(2): whether it may create, whether it can only create a file
// without a name, and whether it can only create a new object.
bool may_create(std::uint64_t flags);
bool is_unnamed(std::uint64_t flags);
bool is_exclusive(std::uint64_t flags);
// Whether the call creates, or changes the mask: these exclude each other at the gate.
inline bool is_creating(Effect effect) {
  return effect == Effect::open || effect == Effect::open_how || effect == Effect::make ||
         effect == Effect::bind || effect == Effect::queue;
}

}  // namespace umaskaudit::tracer

// The messages between a process of the run and the tracer that it hands a process or child over
// to.
// Must never depend on anything but <cstdint>: both halves include it.
//
// The socket is of AF_UNIX and SOCK_SEQPACKET, with an abstract name (unix(7)), which needs no file
// and can be reached from another root. Its name is the value of the option tracer=, and ends with
// '.' and the pid of the tracer, for PR_SET_PTRACER (prctl(2)). One connection carries one request
// and its answer, and is closed before the call that the request is for, because the program must
// not see a descriptor of ours during its own call. So the end of a connection means nothing once
// the answer was sent. When an answer cannot be sent (EPIPE), the tracer undoes what it did: the
// process stopped waiting after 2 s and went on alone.
//
// A thread that leaves its call another way (longjmp(3) out of a handler, pthread_cancel(3)) never
// sends `call_returned`; the tracer notices at its next system call that is not an exec. Tasks that
// the library makes for itself are CLONE_UNTRACED (clone(2)), so PTRACE_O_TRACECLONE does not
// attach to them.
#pragma once

#include <cstdint>

namespace umaskaudit::trace {

inline constexpr char kTracerNamePrefix[] = "umaskaudit-";

enum class HandOverKind : std::uint32_t {
  // `tid` is about to execute a program that cannot load the library: trace its image. Some
  // functions try several files in a row (execvp(3)). The library records everything before the
  // exec.
  take_exec = 1,
  // `tid` is about to make a child that executes such a program without running code of ours
  // (posix_spawn(3)): trace the child from its exec on. The library records what the child does
  // before. Other children that `tid` makes meanwhile, in a signal handler, are detached at once.
  follow_child = 2,
  // The library can see only a part of what the process does: trace all of its threads from now on,
  // to the extent of `scope`.
  take_process = 3,
  // The call that take_exec or follow_child was sent for has failed or returned: `tid` is no longer
  // traced. A child that was made stays traced.
  call_returned = 4,
};

enum class HandOverScope : std::uint32_t {
  everything = 0,  // the library records nothing in this image any more
  // Only the system calls that the program makes without libc: a seccomp filter, installed after
  // the answer, stops them by SECCOMP_RET_TRACE. The library goes on recording all others. If the
  // filter cannot be installed, a second request asks for `everything`.
  filtered_calls = 1,
};

struct HandOverRequest {
  std::uint32_t version;  // kHandOverVersion
  HandOverKind kind;
  std::uint32_t pid;    // of the process, and
  std::uint32_t tid;    // of the thread, as that process numbers them
  HandOverScope scope;  // of take_process
  std::uint32_t reserved[3];
};
static_assert(sizeof(HandOverRequest) == 32);
inline constexpr std::uint32_t kHandOverVersion = 1;

struct HandOverAnswer {
  std::int32_t error;  // 0: done; else the errno that says why not
  std::uint32_t reserved;
};
static_assert(sizeof(HandOverAnswer) == 8);

}  // namespace umaskaudit::trace

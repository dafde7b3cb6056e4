// What a process of the run says to the tracer: the words of the socket between them.
// Must never depend on anything but <cstdint>: both halves include it.
//
// The socket is of AF_UNIX and SOCK_SEQPACKET, with an abstract name (unix(7)), which needs no file
// and is reached from another root. Its name is the value of the option tracer=, and ends with '.'
// and the pid of the tracer, for PR_SET_PTRACER (prctl(2)). One connection is one request and its
// answer, and is closed before the call that the request is for: no program may find a descriptor
// of ours across its own call. So its end means nothing, once the answer could be sent. An answer
// that cannot be sent (EPIPE) undoes what was done: whoever asked has gone on without, after 2 s.
//
// A thread that leaves its call in another way (longjmp(3) out of a handler, pthread_cancel(3))
// never sends `call_returned`. The tracer notices it by a system call that is none of exec, or lets
// it be. A task that the library makes for a look of its own is CLONE_UNTRACED (clone(2)):
// PTRACE_O_TRACECLONE does not reach it.
#pragma once

#include <cstdint>

namespace umaskaudit::trace {

inline constexpr char kTracerNamePrefix[] = "umaskaudit-";

enum class HandOverKind : std::uint32_t {
  // `tid` is about to execute a program that cannot load the library: trace its image. Some ways to
  // execute try several files in a row (execvp(3)). All that happens before is the library's.
  take_exec = 1,
  // `tid` is about to make a child that executes one, without running any code of ours
  // (posix_spawn(3)): trace the child, from its exec on. What it does before that, the library
  // records for it. Other children that `tid` makes meanwhile, in a handler, are let go at once.
  follow_child = 2,
  // The process is one that the library can see only in part: trace all of its threads from now
  // on, as `scope` says.
  take_process = 3,
  // The call that take_exec or follow_child was for has failed, or returned: `tid` is traced no
  // more. The child that it was for stays traced.
  call_returned = 4,
};

enum class HandOverScope : std::uint32_t {
  everything = 0,  // the library records nothing in this image
  // Only the calls that a seccomp filter, installed after the answer, stops by SECCOMP_RET_TRACE:
  // those that the program makes past libc. The library goes on recording all others. Where the
  // filter could not be installed after all, `everything` is asked for behind it.
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

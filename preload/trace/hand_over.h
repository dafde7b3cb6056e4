// What a process of the run says to the tracer: the words of the socket between them.
// Must never depend on anything but <cstdint>: both halves include it.
//
// The socket is of AF_UNIX and SOCK_SEQPACKET, with an abstract name (unix(7)), which needs no file
// and is reached from another root. Its name is the value of the option tracer=, and ends with '.'
// and the pid of the tracer, for PR_SET_PTRACER (prctl(2)). One connection is one request and its
// answer; `follow_child` and `take_exec` are each answered, undone by `let_go` on the same
// connection, and undone by its end as well where the call has not been made by then.
#pragma once

#include <cstdint>

namespace umaskaudit::trace {

inline constexpr char kTracerNamePrefix[] = "umaskaudit-";

enum class HandOverKind : std::uint32_t {
  // `tid` is about to execute a program that cannot load the library: trace its image.
  take_exec = 1,
  // `tid` is about to make a child that executes one, without running any code of ours
  // (posix_spawn(3)): trace the child, from its first instruction on.
  follow_child = 2,
  // The process is one that the library can see only in part: trace all of its threads from now
  // on. The library records nothing more in it.
  take_process = 3,
  // The call that the request before it was for has failed, or returned: `tid` is traced no more.
  let_go = 4,
};

struct HandOverRequest {
  std::uint32_t version;  // kHandOverVersion
  HandOverKind kind;
  std::uint32_t pid;  // of the process, and
  std::uint32_t tid;  // of the thread, as that process numbers them
  std::uint64_t reserved[2];
};
static_assert(sizeof(HandOverRequest) == 32);
inline constexpr std::uint32_t kHandOverVersion = 1;

struct HandOverAnswer {
  std::int32_t error;  // 0: done; else the errno that says why not
  std::uint32_t reserved;
};
static_assert(sizeof(HandOverAnswer) == 8);

}  // namespace umaskaudit::trace

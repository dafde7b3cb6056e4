// The messages between a process of a run and `umaskaudit run`, for a process that cannot create
// its segment itself: as another user, or in another root, where the run directory has no name.
// Must never depend on anything but <cstdint>: both halves include it.
//
// The socket is of AF_UNIX and SOCK_SEQPACKET, with an abstract name (unix(7)), which needs no file
// and can be reached from another root. The option recorder= is NAME.KEY.UID: every user sees the
// name (/proc/net/unix), but only programs of the run have the key in their environment; UID is the
// user that the listener must have. One connection is for one segment: the request, the answer with
// a descriptor (SCM_RIGHTS), and the outcome, mapped or not. A connection without a request tests
// whether the server answers.
#pragma once

#include <cstdint>

namespace umaskaudit::trace {

inline constexpr char kRecorderNamePrefix[] = "umaskaudit-run-";
inline constexpr unsigned kRecorderKeySize = 32;  // hex digits

struct SegmentRequest {
  std::uint32_t version;  // kSegmentRequestVersion
  std::uint32_t pid;      // of the process, as it numbers itself
  char key[kRecorderKeySize];
};
static_assert(sizeof(SegmentRequest) == 40);
inline constexpr std::uint32_t kSegmentRequestVersion = 1;

struct SegmentAnswer {
  std::int32_t error;         // 0: a descriptor comes with it; else the errno that explains why not
  std::uint32_t root_length;  // 0: the root directory is that of `run`, or has no name there
  std::uint64_t limit;        // bytes that the segment may take
  char root[1024];            // the name that `run` has for the root directory of the process
};
static_assert(sizeof(SegmentAnswer) == 1040);

struct SegmentOutcome {
  std::int32_t error;  // 0: the process mapped it; else its errno, and the file can be removed
};

}  // namespace umaskaudit::trace

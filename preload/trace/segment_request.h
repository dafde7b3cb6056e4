// What a process of a run says to `umaskaudit run` where it cannot make a segment by itself: as
// another user, or in another root, where the run directory has no name.
// Must never depend on anything but <cstdint>: both halves include it.
//
// The socket is of AF_UNIX and SOCK_SEQPACKET, with an abstract name (unix(7)), which needs no file
// and is reached from another root. The option recorder= is NAME.KEY.UID: everybody sees the name
// (/proc/net/unix), but only programs of the run have the key in their environment; UID is who must
// be listening. One connection is one segment: request, answer with a descriptor (SCM_RIGHTS),
// and, when it is mapped or was not, the outcome. One that ends without a request is a question
// whether there is an answer.
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
  std::int32_t error;         // 0: a descriptor comes with it; else the errno that says why not
  std::uint32_t root_length;  // 0: the root directory is that of `run`, or has no name there
  std::uint64_t limit;        // bytes that the segment may take
  char root[1024];            // the name that `run` has for the root directory of the process
};
static_assert(sizeof(SegmentAnswer) == 1040);

struct SegmentOutcome {
  std::int32_t error;  // 0: it is mapped; else the errno that says why not: it can be removed
};

}  // namespace umaskaudit::trace

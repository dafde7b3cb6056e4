// Obtains a segment from `umaskaudit run`, for processes that cannot open the run directory: of
// another user, in another root, behind a read-only mount.
// Must never block for more than seconds, nor accept a server of another user than the one that
// started the run. Called where descriptors are not seen (own_table.h).
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// Whether this error number means that the server should be asked: no permission, or no such name.
bool is_out_of_reach(int error);

// Requests a segment. On success the caller owns `fd` and `connection`, and must report the
// outcome. Returns 0 or an error number.
struct ServedSegment {
  int fd = -1;
  int connection = -1;
  std::uint64_t limit = 0;
  std::uint32_t root_length = 0;  // of the root's name outside; 0: not known
  char root[1024];
};
int ask_for_segment(std::uint32_t pid, ServedSegment& segment);
// Reports the outcome and closes both. `error`: as in trace::SegmentOutcome.
void tell_outcome(const ServedSegment& segment, int error);

// Whether a server answers. Opens and closes a socket where no other thread can see it.
// Async-signal-safe.
bool segments_are_served();

}  // namespace umaskaudit::shim

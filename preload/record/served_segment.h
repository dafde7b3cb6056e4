// Segments that `umaskaudit run` makes for processes that cannot open the run directory: those of
// another user, in another root, behind a read-only mount.
// Must never block for longer than seconds, nor believe a server of another user than the
// one that started the run. Called where descriptors are not seen (own_table.h).
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// Whether what failed with this error number may be asked for: permission or the name is missing.
bool is_out_of_reach(int error);

// Asks for a segment. On success `fd` and `connection` are descriptors of the caller's, who tells
// the outcome. 0 or an error number.
struct ServedSegment {
  int fd = -1;
  int connection = -1;
  std::uint64_t limit = 0;
  std::uint32_t root_length = 0;  // of the name that the root directory has outside; 0: none
  char root[1024];
};
int ask_for_segment(std::uint32_t pid, ServedSegment& segment);
// Closes both. `error`: as in trace::SegmentOutcome.
void tell_outcome(const ServedSegment& segment, int error);

// Whether somebody would answer a new image. Opens and closes a socket where no other thread can
// see it. Async-signal-safe.
bool segments_are_served();

}  // namespace umaskaudit::shim

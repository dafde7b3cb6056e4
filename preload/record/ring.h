// keep=latest: a full segment reuses the chunks that hold its oldest events.
// Must never block, drop what later records refer to, or reuse a chunk in which a record is still
// being written. Called by segment.cc, from the end of the first chunk on.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// The smallest limit of a segment with a ring: a chunk for each use, and one more.
inline constexpr std::uint64_t kLeastRing = trace::kFirstChunk + 4 * trace::kChunk;

// The space of one record; `at` is null when it was refused, for the given reason.
struct RingSpace {
  unsigned char* at = nullptr;
  std::uint64_t offset = 0;  // in the file
  trace::Loss refusal = trace::Loss::segment_full;
};
// Reserves `length` bytes, 8-aligned, in a segment with a ring. Async-signal-safe, lock-free, works
// in forked and vfork children, because all of a ring's state is in the segment.
RingSpace reserve_in_ring(trace::SegmentHeader& header, std::uint32_t length, trace::ChunkUse use);

// Maps a few chunks in advance: a seccomp filter may soon bar mmap(2).
void map_ring_ahead(trace::SegmentHeader& header, unsigned count);

}  // namespace umaskaudit::shim

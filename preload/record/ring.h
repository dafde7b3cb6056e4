// keep=latest: a segment that is full goes on, in chunks that held the oldest events.
// Must never block, lose what later records refer to, or take a chunk in which a record is still
// being written. Called by segment.cc, from the end of the first chunk on.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// So many bytes a segment must be allowed at least: a chunk for each use, and one more.
inline constexpr std::uint64_t kLeastRing = trace::kFirstChunk + 4 * trace::kChunk;

// Where one record goes: `at` is null when it was refused, and why.
struct RingSpace {
  unsigned char* at = nullptr;
  std::uint64_t offset = 0;  // in the file
  trace::Loss refusal = trace::Loss::segment_full;
};
// For `length` bytes, 8-aligned, of a segment that allows a ring. Async-signal-safe, lock-free,
// works in forked and vfork children: all of a ring's state is in the segment.
RingSpace reserve_in_ring(trace::SegmentHeader& header, std::uint32_t length, trace::ChunkUse use);

// Maps chunks that nobody needs yet: soon we may not be allowed to (seccomp).
void map_ring_ahead(trace::SegmentHeader& header, unsigned count);

}  // namespace umaskaudit::shim

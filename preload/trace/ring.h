// Where the chunks of a segment lie, and what a ring's entry says of one (format.h). Pure, for the
// writer and for all who read: nothing here looks at a file.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::trace {

inline constexpr std::uint64_t chunk_of(std::uint64_t offset) {
  return offset < kFirstChunk ? 0 : 1 + (offset - kFirstChunk) / kChunk;
}
inline constexpr std::uint64_t chunk_begin(std::uint64_t chunk) {
  return chunk == 0 ? 0 : kFirstChunk + (chunk - 1) * kChunk;
}

// Of RingChunk::word.
inline constexpr ChunkUse use_of(std::uint64_t word) { return static_cast<ChunkUse>(word & 0xff); }
inline constexpr std::uint64_t turn_of(std::uint64_t word) { return word >> 8; }

// Whether a chunk of that use has records that are to be read.
inline constexpr bool has_records(ChunkUse use) {
  return use != ChunkUse::none && use != ChunkUse::empty;
}

// Whether two readings of an entry speak of the same records.
inline constexpr bool same_records(const RingChunk& a, const RingChunk& b) {
  return a.word == b.word && a.dropped == b.dropped;
}

}  // namespace umaskaudit::trace

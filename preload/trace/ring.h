// The position of the chunks of a segment, and the meaning of a ring's entry for one (format.h).
// Pure functions, for the writer and all readers.
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

// The ChunkUse in RingChunk::word.
inline constexpr ChunkUse use_of(std::uint64_t word) { return static_cast<ChunkUse>(word & 0xff); }
inline constexpr std::uint64_t turn_of(std::uint64_t word) { return word >> 8; }

// Whether a chunk of that use has records to be read.
inline constexpr bool has_records(ChunkUse use) {
  return use != ChunkUse::none && use != ChunkUse::empty;
}

// Whether an entry that was read twice described the same records both times.
inline constexpr bool same_records(const RingChunk& a, const RingChunk& b) {
  return a.word == b.word && a.dropped == b.dropped;
}

}  // namespace umaskaudit::trace

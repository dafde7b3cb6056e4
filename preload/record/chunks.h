// The chunks of the segment file: where they are mapped, and whether a store to them is safe.
// Must never keep a descriptor, block, or let a full disk become a SIGBUS in the program: a chunk
// is backed (MADV_POPULATE_WRITE) before the first store.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/record/backing.h"
#include "preload/trace/format.h"
#include "preload/trace/ring.h"

namespace umaskaudit::shim {

using trace::kChunk;
using trace::kFirstChunk;
inline constexpr std::uint64_t kMaxSegment = 1 << 30;
inline constexpr unsigned kChunks = 1 + kMaxSegment / kChunk;

using trace::chunk_begin;
inline unsigned chunk_of(std::uint64_t offset) {
  return static_cast<unsigned>(trace::chunk_of(offset));
}
inline std::uint64_t chunk_size(unsigned chunk) { return chunk == 0 ? kFirstChunk : kChunk; }

// The address of each chunk; null: not mapped. `limit` is the size that the file may reach.
extern std::atomic<unsigned char*> first_chunk;
extern std::atomic<unsigned char*> later_chunks[kChunks - 1];
inline std::atomic<unsigned char*>& chunk_place(unsigned chunk) {
  return chunk == 0 ? first_chunk : later_chunks[chunk - 1];
}
extern std::atomic<std::uint64_t> first_backed;  // bytes of the first chunk
extern std::atomic<std::uint64_t> limit;
// `size` rounded down to whole chunks; 0: less than the first.
std::uint64_t whole_chunks(std::uint64_t size);

// The file is in memory (tmpfs): the memory that it may take is found out before the second chunk,
// and may lower `limit`.
void ask_for_share_later();
void settle_limit();  // finds it out, once

// Sets the size of the file to `limit` and maps its first chunk, or all where chunks cannot be
// mapped later; on failure null and an error number. The caller closes `fd`.
unsigned char* map_first_chunk(int fd, int& error);

// The chunk that contains the byte before `end`, if it is backed up to there; else null.
inline unsigned char* ready_chunk(unsigned chunk, std::uint64_t end) {
  if (chunk == 0 && end > first_backed.load(std::memory_order_relaxed)) return nullptr;
  return chunk_place(chunk).load(std::memory_order_acquire);
}
// Maps and backs it. Null: refused.
[[gnu::cold]] unsigned char* grow(unsigned chunk);

// True: refused a short while ago.
[[gnu::cold]] unsigned char* refuse(trace::Loss reason);
bool lately_refused();
trace::Loss latest_refusal();

// For the thread whose record crosses the middle of a chunk: maps the next chunk, and unmaps full
// ones before it.
void map_next(unsigned chunk, std::uint64_t offset, std::uint64_t end);

// Writes a chunk to the disk (msync(2)), if it was ever mapped; 0 or -errno.
long sync_chunk(unsigned chunk);

}  // namespace umaskaudit::shim

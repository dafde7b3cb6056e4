// The chunks of the segment file: where they are mapped, and whether a store to them is safe.
// Must never keep a descriptor, block, or let a full disk become a SIGBUS in the program: a chunk
// is backed (MADV_POPULATE_WRITE) before anybody writes to it. Of segment.cc and its neighbours
// here.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

using trace::kChunk;
using trace::kFirstChunk;
inline constexpr std::uint64_t kMaxSegment = 1 << 30;
inline constexpr unsigned kChunks = 1 + kMaxSegment / kChunk;
inline constexpr std::uint64_t kPage = 4096;
// Most processes record little: the first chunk is small, and only its begin is backed when it is
// opened, so that starting one stays cheap.
inline constexpr std::uint64_t kFirstBacked = 12 << 10;

inline unsigned chunk_of(std::uint64_t offset) {
  return offset < kFirstChunk ? 0 : 1 + static_cast<unsigned>((offset - kFirstChunk) / kChunk);
}
inline std::uint64_t chunk_begin(unsigned chunk) {
  return chunk == 0 ? 0 : kFirstChunk + (chunk - 1) * kChunk;
}
inline std::uint64_t chunk_size(unsigned chunk) { return chunk == 0 ? kFirstChunk : kChunk; }

// Where they are mapped; null: not here. `limit` is the size that the file may reach.
extern std::atomic<unsigned char*> chunks[kChunks];
extern std::atomic<std::uint64_t> first_backed;  // bytes of the first chunk
extern std::uint64_t limit;

// For the file `fd`, which is empty, before anything is mapped: on a copy-on-write filesystem it is
// written in place where that can be had.
void write_in_place(int fd);

// Sets the size of the file to `limit` and maps its first chunk, or more where chunks cannot be
// mapped later; on failure null and an error number. `fd` stays the caller's.
unsigned char* map_first_chunk(int fd, int& error);

// Gives a page memory and space on the disk; false where a store to it would be a SIGBUS.
bool back_page(void* page);

// Whether a store to these bytes is safe now: always, but for a copy-on-write filesystem.
extern bool copies_on_write;
bool stays_backed(const void* at, std::uint64_t size);
inline bool is_backed(const void* at, std::uint64_t size) {
  return __builtin_expect(!copies_on_write, 1) || stays_backed(at, size);
}

// The chunk that holds what ends at `end`, backed as far as that. Null: not yet.
inline unsigned char* ready_chunk(unsigned chunk, std::uint64_t end) {
  if (chunk == 0 && end > first_backed.load(std::memory_order_relaxed)) return nullptr;
  return chunks[chunk].load(std::memory_order_acquire);
}
// Makes it so. Null: refused.
[[gnu::cold]] unsigned char* grow(unsigned chunk);

// A refused chunk is asked for again only after a while.
[[gnu::cold]] unsigned char* refuse(trace::Loss reason);
bool lately_refused();
trace::Loss latest_refusal();

// For whoever crosses the middle of a chunk: maps the next one, and unmaps those before it that
// are full.
void map_next(unsigned chunk, std::uint64_t offset, std::uint64_t end);

// Forces a chunk to the disk (msync(2)), where it was ever mapped; 0 or -errno.
long sync_chunk(unsigned chunk);

}  // namespace umaskaudit::shim

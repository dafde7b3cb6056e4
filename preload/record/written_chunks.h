// Finds chunks of the segment that no thread of this process writes to any more, so that they may
// be unmapped.
// Must never include a chunk with a record that is reserved and not committed: its writer holds a
// pointer into it.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// So many of the latest chunks are tracked: a preempted writer may take a while.
inline constexpr unsigned kLooks = 64;

// Notes a gap: a record reserved at `offset` does not fit in that chunk, and leaves it empty up to
// `rest` in the next one. Known to this process, and to children that it forks later.
void note_gap(unsigned chunk, std::uint32_t offset, std::uint32_t rest);

// Skips committed records from `at`, where one begins: returns `end`, or the offset of the first
// that is not committed or not valid.
std::uint32_t committed_end(const unsigned char* base, std::uint32_t at, std::uint32_t end);

// True when every byte except gaps belongs to a committed record. False where a gap is not known,
// or a record was never committed because its writer was killed or jumped away. Reads the chunk;
// one thread at a time.
bool is_written(unsigned chunk, const unsigned char* base, std::uint32_t size);

}  // namespace umaskaudit::shim

// Which chunks of the segment nobody in this process writes to any more: those may be unmapped.
// Must never say so of a chunk in which a record was reserved and is not committed yet: its writer
// holds a pointer into it. Called by chunks.cc and ring.cc.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// How many of the latest chunks are kept in mind: a writer that lost its processor takes a while.
inline constexpr unsigned kLooks = 64;

// What was reserved for one record at `offset` in that chunk does not fit there, and is left empty:
// as far as `rest` in the next one. Known to the process whose record that was, and to the children
// that it forks later.
void note_gap(unsigned chunk, std::uint32_t offset, std::uint32_t rest);

// How far from `at` on, where a record begins, all of them are committed: `end`, or the offset of
// one that is not, or cannot be one.
std::uint32_t committed_end(const unsigned char* base, std::uint32_t at, std::uint32_t end);

// Every byte but those of gaps is a committed record's. False where a gap is not known, and where a
// record never was committed, for its writer was killed or jumped away. Reads the chunk; one thread
// at a time.
bool is_written(unsigned chunk, const unsigned char* base, std::uint32_t size);

}  // namespace umaskaudit::shim

// The checksum that doubles as a record's commit word.
// Must never allocate, call libc or depend on the host's byte order beyond little endian.
// Called by the shim for each record, and by the reader before it believes one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::trace {

// 32 bits over the record except its commit word, seeded with the record's offset in the file: a
// copy of a record inside another one's path bytes is not taken for a record. Never 0. Takes about
// a nanosecond for 16 bytes; two multiplications a word detect any flipped bit and any swapped
// word. `record` is kRecordAlign-aligned and `length` a multiple of kRecordAlign.
inline std::uint32_t record_checksum(const void* record, std::uint32_t length,
                                     std::uint64_t offset) {
  constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15u;
  const auto* bytes = static_cast<const unsigned char*>(record);
  // A step is hash = (hash ^ word) * kPrime; hash ^= hash >> 29. Its last operation is done in the
  // next step, in parallel with another one, because each step depends on the one before.
  std::uint64_t hash = (offset + 1) * kPrime;
  std::uint64_t shifted = 0;
  const auto add = [&](std::uint64_t word) {
    hash ^= word;
    __asm__("" : "+r"(hash));  // keeps the compiler from reordering the two
    hash = (hash ^ shifted) * kPrime;
    shifted = hash >> 29;
  };
  const auto word_at = [&](std::uint32_t at) {
    std::uint64_t word = 0;
    __builtin_memcpy(&word, bytes + at, sizeof word);
    return word;
  };
  if (length != 0) add(word_at(0) >> 32);  // the low half is the commit word itself
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 4
#endif
  for (std::uint32_t at = 8; at < length; at += 8) add(word_at(at));
  hash = (hash ^ shifted) * kPrime;
  const auto folded = static_cast<std::uint32_t>(hash >> 32);
  return folded != 0 ? folded : 1;
}

// The checksum of a part of a FoldCell. It is computed at each mask change, so it has no chain of
// multiplications. A cell that SIGKILL left half written does not match it. Never 0.
template <typename Part>
std::uint64_t fold_checksum(const Part& part, std::uint64_t seed) {
  static_assert(sizeof(Part) % sizeof(std::uint64_t) == 0);
  constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15u;
  constexpr std::size_t kWords = sizeof(Part) / sizeof(std::uint64_t);
  std::uint64_t words[kWords];
  __builtin_memcpy(words, &part, sizeof part);
  std::uint64_t sum = seed;
  for (std::size_t i = 0; i < kWords; ++i) sum += (words[i] + 1) * (kPrime * (2 * i + 1));
  sum = (sum ^ sum >> 29) * kPrime;
  return sum != 0 ? sum : 1;
}

}  // namespace umaskaudit::trace

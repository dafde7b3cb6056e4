// Reads strings of a runtime: their bytes, and a hash of them.
// Must never read beyond the aligned word that contains the NUL, because memory may end there.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/record/intern.h"
#include "preload/script/peek.h"

namespace umaskaudit::shim {

// The words of a string: 8 bytes each from its first byte on, zeros after its end. Memory is read
// in aligned words only and shifted together, so that no read crosses into another page.
class TextWords {
 public:
  static constexpr unsigned kBytes = 8;

  TextWords(Peek& memory, std::uintptr_t at) : memory_(memory), next_(at & ~std::uintptr_t{7}) {
    const auto skipped = static_cast<unsigned>(at & 7);
    readable_ = read_on(held_);
    held_ >>= 8 * skipped;
    count_ = kBytes - skipped;
  }

  // False: not readable. `bytes` is the number of bytes of `word` that belong to the string; fewer
  // than kBytes: the end.
  bool next(std::uint64_t& word, unsigned& bytes) {
    if (!readable_) return false;
    if (count_ == 0) {
      if (!read_on(held_)) return false;
      count_ = kBytes;
    }
    word = held_;
    if (ends(word, count_, bytes)) return true;
    if (count_ == kBytes) {
      count_ = 0;
      return true;
    }
    std::uint64_t more = 0;
    if (!read_on(more)) return false;
    word |= more << 8 * count_;
    held_ = more >> 8 * (kBytes - count_);
    ends(word, kBytes, bytes);
    return true;
  }

 private:
  bool read_on(std::uint64_t& word) {
    if (!memory_.get(next_, word)) return false;
    next_ += kBytes;
    return true;
  }

  // Whether one of the first `count` bytes is NUL; bytes after it become zero. The lowest set bit
  // of `zeros` is in the first zero byte, because a borrow only moves upwards.
  static bool ends(std::uint64_t& word, unsigned count, unsigned& bytes) {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    const std::uint64_t zeros = (word - kOnes) & ~word & kOnes << 7;
    bytes = zeros == 0 ? kBytes : static_cast<unsigned>(__builtin_ctzll(zeros)) / 8;
    if (bytes >= count) {
      bytes = kBytes;
      return false;
    }
    word &= (std::uint64_t{1} << 8 * bytes) - 1;
    return true;
  }

  Peek& memory_;
  std::uintptr_t next_;
  std::uint64_t held_ = 0;
  unsigned count_;
  bool readable_;
};
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

// Longer strings are cut here: names of files and functions.
inline constexpr unsigned kLongestText = 1024;

// Continues `hash` with the content of a string. False: not readable.
inline bool mix_text(Peek& memory, std::uintptr_t at, std::uint64_t& hash) {
  TextWords words(memory, at);
  for (unsigned done = 0; done < kLongestText; done += TextWords::kBytes) {
    std::uint64_t word = 0;
    unsigned bytes = 0;
    if (!words.next(word, bytes)) return false;
    hash = mix(hash, word);
    if (bytes < TextWords::kBytes) return true;
  }
  return true;
}

// The same for a given number of bytes. False: not all of them are readable.
inline bool mix_bytes(Peek& memory, std::uintptr_t at, std::size_t length, std::uint64_t& hash) {
  while (length != 0) {
    std::uint64_t word = 0;
    const std::size_t size = length < sizeof word ? length : sizeof word;
    if (!memory.read(at, &word, size)) return false;
    hash = mix(hash, word);
    at += size;
    length -= size;
  }
  return true;
}

// Copies without the NUL, cut to the buffer. False: not readable.
bool copy_text(Peek& memory, std::uintptr_t at, char* to, std::uint32_t room,
               std::uint32_t& length);

// Parses a decimal number. False: it is none.
bool number_in(Peek& memory, std::uintptr_t at, std::uint32_t& number);

}  // namespace umaskaudit::shim

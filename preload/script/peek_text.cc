// Copies strings and parses numbers; see peek_text.h.

#include "preload/script/peek_text.h"

#include <cstring>

namespace umaskaudit::shim {

bool copy_text(Peek& memory, std::uintptr_t at, char* to, std::uint32_t room,
               std::uint32_t& length) {
  TextWords words(memory, at);
  length = 0;
  while (length < room) {
    std::uint64_t word = 0;
    unsigned bytes = 0;
    if (!words.next(word, bytes)) return false;
    const std::uint32_t fits = bytes < room - length ? bytes : room - length;
    std::memcpy(to + length, &word, fits);
    length += fits;
    if (bytes < TextWords::kBytes) return true;
  }
  return true;
}

bool number_in(Peek& memory, std::uintptr_t at, std::uint32_t& number) {
  constexpr unsigned kMost = 10;  // digits of 32 bits
  TextWords words(memory, at);
  std::uint64_t value = 0;
  for (unsigned digits = 0, bytes = TextWords::kBytes; bytes == TextWords::kBytes;) {
    std::uint64_t word = 0;
    if (!words.next(word, bytes)) return false;
    digits += bytes;
    if (digits == 0 || digits > kMost) return false;
    for (unsigned i = 0; i < bytes; ++i, word >>= 8) {
      const auto digit = static_cast<unsigned char>(word);
      if (digit < '0' || digit > '9') return false;
      value = value * 10 + (digit - static_cast<unsigned>('0'));
    }
  }
  number = static_cast<std::uint32_t>(value);
  return value == number;
}

}  // namespace umaskaudit::shim

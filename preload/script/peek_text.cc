// Copies and compares texts; see peek_text.h.

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

bool is_text(Peek& memory, std::uintptr_t at, const char* other) {
  constexpr std::uint32_t kMost = 64;
  char text[kMost];
  std::uint32_t length = 0;
  const std::size_t wanted = std::strlen(other);
  return wanted < kMost && copy_text(memory, at, text, kMost, length) && length == wanted &&
         std::memcmp(text, other, wanted) == 0;
}

bool number_in(Peek& memory, std::uintptr_t at, std::uint32_t& number) {
  constexpr std::uint32_t kMost = 10;  // digits of 32 bits
  char text[kMost];
  std::uint32_t length = 0;
  if (!copy_text(memory, at, text, kMost, length) || length == 0) return false;
  std::uint64_t value = 0;
  for (std::uint32_t i = 0; i < length; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(text[i] - '0');
  }
  number = static_cast<std::uint32_t>(value);
  return value == number;
}

}  // namespace umaskaudit::shim

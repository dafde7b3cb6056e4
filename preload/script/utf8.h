// Characters in UTF-8, as all texts of the trace are.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

inline constexpr unsigned kLongestUtf8 = 4;

// Writes one character; returns how many bytes. `out` has room for kLongestUtf8.
inline unsigned encode_utf8(std::uint32_t character, char* out) {
  const auto put = [&](unsigned at, unsigned byte) { out[at] = static_cast<char>(byte); };
  const unsigned last = 0x80 | (character & 63);
  if (character < 0x80) {
    put(0, character);
    return 1;
  }
  if (character < 0x800) {
    put(0, 0xc0 | character >> 6);
    put(1, last);
    return 2;
  }
  const unsigned middle = 0x80 | (character >> 6 & 63);
  if (character < 0x10000) {
    put(0, 0xe0 | character >> 12);
    put(1, middle);
    put(2, last);
    return 3;
  }
  put(0, 0xf0 | (character >> 18 & 7));
  put(1, 0x80 | (character >> 12 & 63));
  put(2, middle);
  put(3, last);
  return 4;
}

}  // namespace umaskaudit::shim

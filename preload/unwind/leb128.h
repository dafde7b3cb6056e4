// Variable-length numbers of DWARF (DWARF 5, section 7.6).
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// `next()` gives one byte after the other.
template <typename Next>
std::uint64_t read_uleb(Next next) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = next();
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  return value;
}

template <typename Next>
std::int64_t read_sleb(Next next) {
  std::uint64_t value = 0;
  unsigned shift = 0;
  std::uint8_t byte = 0;
  do {
    byte = next();
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    shift += 7;
  } while ((byte & 0x80) != 0 && shift < 64);
  if (shift < 64 && (byte & 0x40) != 0) value |= ~std::uint64_t{0} << shift;
  return static_cast<std::int64_t>(value);
}

}  // namespace umaskaudit::shim

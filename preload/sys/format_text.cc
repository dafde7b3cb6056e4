// Numbers, modes and foreign bytes as text; see format_text.h.

#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

TextBuffer& TextBuffer::number(std::uint64_t value, unsigned base, unsigned width) {
  char digits[64];
  unsigned count = 0;
  while (value != 0 || count < width) {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  }
  while (count > 0) put(digits[--count]);
  return *this;
}

TextBuffer& TextBuffer::rwx(std::uint32_t value) {
  for (unsigned who = 0; who < 3; ++who) {
    const unsigned bits = value >> (6 - 3 * who);
    const bool special = (value >> (11 - who) & 1) != 0;
    const char mark = who == 2 ? 't' : 's';
    put((bits & 4) != 0 ? 'r' : '-').put((bits & 2) != 0 ? 'w' : '-');
    if (special) {
      put((bits & 1) != 0 ? mark : static_cast<char>(mark - 'a' + 'A'));
    } else {
      put((bits & 1) != 0 ? 'x' : '-');
    }
  }
  return *this;
}

TextBuffer& TextBuffer::escaped(const char* text, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x7f && byte != '\\') {
      put(text[i]);
    } else {
      put("\\x").hex(byte, 2);
    }
  }
  return *this;
}

}  // namespace umaskaudit::shim

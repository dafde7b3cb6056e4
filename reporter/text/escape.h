// Escapes bytes of the audited program; they reach a terminal only through this function.
// Must never lose a byte (the original can be restored) nor let a control sequence through.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace umaskaudit {

// One line of printable UTF-8. Escaped are: backslash as \\, newline, tab and carriage return as
// \n \t \r, other control bytes and bytes that are not UTF-8 as \xNN, and code points that move
// the cursor, reorder or hide text (C1, bidirectional controls, zero-width, tags, line separators,
// noncharacters) as \u{HEX}.
std::string escape(std::string_view bytes);

// One code point decoded from the front of `bytes` (not empty).
struct CodePoint {
  std::uint32_t value = 0;
  std::size_t length = 0;  // 0: the first byte starts no valid UTF-8 sequence (RFC 3629)
};
CodePoint decode_utf8(std::string_view bytes);

bool valid_utf8(std::string_view bytes);

// True for code points that must not reach a terminal or an unsuspecting editor as they are.
bool deceptive(std::uint32_t code_point);

}  // namespace umaskaudit

// Escapes text; see escape.h.
// Must never depend on the locale: a report is the same under LANG=C.
#include "reporter/text/escape.h"

#include <algorithm>
#include <iterator>

namespace umaskaudit {
namespace {

struct Range {
  std::uint32_t first, last;
};

// Sorted ranges of code points that hide, reorder or move text, from Unicode's Cc, Cf, Zl, Zp and
// noncharacters, as used by "Trojan Source" (CVE-2021-42574) and terminal title tricks.
constexpr Range kDeceptive[] = {
    {0x0000, 0x001F},   {0x007F, 0x009F},   {0x00AD, 0x00AD},    {0x034F, 0x034F},
    {0x061C, 0x061C},   {0x115F, 0x1160},   {0x17B4, 0x17B5},    {0x180B, 0x180F},
    {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},    {0x3164, 0x3164},
    {0xFDD0, 0xFDEF},   {0xFE00, 0xFE0F},   {0xFEFF, 0xFEFF},    {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB},   {0xFFFE, 0xFFFF},   {0x13430, 0x1345F},  {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}, {0xF0000, 0x10FFFF},
};

constexpr char kHex[] = "0123456789abcdef";

void append_byte(std::string& out, unsigned char byte) {
  out += "\\x";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

void append_code_point(std::string& out, std::uint32_t value) {
  out += "\\u{";
  int shift = 20;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) out += kHex[(value >> shift) & 15];
  out += '}';
}

void append_ascii(std::string& out, unsigned char byte) {
  switch (byte) {
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
  }
  if (deceptive(byte))
    append_byte(out, byte);
  else
    out += static_cast<char>(byte);
}

}  // namespace

bool deceptive(std::uint32_t code_point) {
  const auto* range =
      std::upper_bound(std::begin(kDeceptive), std::end(kDeceptive), code_point,
                       [](std::uint32_t value, const Range& r) { return value < r.first; });
  return range != std::begin(kDeceptive) && code_point <= std::prev(range)->last;
}

CodePoint decode_utf8(std::string_view bytes) {
  const auto at = [&](std::size_t i) -> std::uint32_t {
    return static_cast<unsigned char>(bytes[i]);
  };
  const std::uint32_t lead = at(0);
  if (lead < 0x80) return {lead, 1};
  // RFC 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
  std::size_t length = 0;
  std::uint32_t value = 0, least = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2, value = lead & 0x1F, least = 0x80;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3, value = lead & 0x0F, least = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4, value = lead & 0x07, least = 0x10000;
  }
  if (length == 0 || bytes.size() < length) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return {};
    value = value << 6 | (at(i) & 0x3F);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < least || value > 0x10FFFF || surrogate) return {};
  return {value, length};
}

bool valid_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const CodePoint next = decode_utf8(bytes);
    if (next.length == 0) return false;
    bytes.remove_prefix(next.length);
  }
  return true;
}

std::string escape(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const CodePoint next = decode_utf8(bytes);
    const auto first = static_cast<unsigned char>(bytes.front());
    if (next.length == 0)
      append_byte(out, first);
    else if (next.length == 1)
      append_ascii(out, first);
    else if (deceptive(next.value))
      append_code_point(out, next.value);
    else
      out.append(bytes.substr(0, next.length));
    bytes.remove_prefix(next.length == 0 ? 1 : next.length);
  }
  return out;
}

}  // namespace umaskaudit

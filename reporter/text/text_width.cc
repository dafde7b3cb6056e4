// Measures widths by wcwidth(3) in C.UTF-8, which glibc has built in since 2.35.
// Must never change the process's locale: uselocale(3) for one call, on this thread.
#include "reporter/text/text_width.h"

#include <locale.h>
#include <wchar.h>

#include <algorithm>
#include <vector>

#include "reporter/text/escape.h"

namespace umaskaudit {
namespace {

constexpr std::string_view kEllipsis = "...";

std::size_t columns_of(std::uint32_t code_point) {
  if (code_point < 0x80) return 1;
  static const locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", static_cast<locale_t>(nullptr));
  if (utf8 == static_cast<locale_t>(nullptr)) return 1;
  const locale_t before = uselocale(utf8);
  const int columns = wcwidth(static_cast<wchar_t>(code_point));
  uselocale(before);
  return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

struct Glyph {
  std::size_t begin, columns;
};

// The bytes that are part of a number: digits, and all of 0x1f.
std::vector<bool> numbers_in(std::string_view text) {
  std::vector<bool> part(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const bool hex = text[at] == '0' && at + 1 < text.size() && text[at + 1] == 'x';
    std::size_t end = hex ? at + 2 : at;
    const std::string_view digits(hex ? "0123456789abcdef" : "0123456789");
    while (end < text.size() && digits.find(text[end]) != std::string_view::npos) ++end;
    for (std::size_t byte = at; byte < end; ++byte) part[byte] = true;
    at = std::max(end, at + 1);
  }
  return part;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const CodePoint next = decode_utf8(text);
    width += next.length == 0 ? 1 : columns_of(next.value);
    text.remove_prefix(next.length == 0 ? 1 : next.length);
  }
  return width;
}

std::string elide_middle(std::string_view text, std::size_t columns) {
  if (columns < kEllipsis.size() + 2) columns = kEllipsis.size() + 2;
  if (display_width(text) <= columns) return std::string(text);
  std::vector<Glyph> glyphs;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = decode_utf8(text.substr(at));
    glyphs.push_back({at, next.length == 0 ? 1 : columns_of(next.value)});
    at += next.length == 0 ? 1 : next.length;
  }
  const std::size_t room = columns - kEllipsis.size();
  const std::size_t front_room = room / 2;
  std::size_t front = 0, used = 0;
  while (used + glyphs[front].columns <= front_room) used += glyphs[front++].columns;
  std::size_t back = glyphs.size();
  while (back > front && used + glyphs[back - 1].columns <= room) used += glyphs[--back].columns;
  // A cut number would read as another mode, offset or line number.
  const std::vector<bool> numbers = numbers_in(text);
  const auto splits = [&](std::size_t at) {
    return at > 0 && at < glyphs.size() && numbers[glyphs[at - 1].begin] &&
           numbers[glyphs[at].begin];
  };
  std::size_t begin = back;
  while (splits(begin)) --begin;
  if (begin != back && glyphs.size() - begin <= room) {
    // Digits have one column each; the front part gets shorter for them.
    for (; back > begin && front > 0; --front, --back) used -= glyphs[front - 1].columns - 1;
    for (; back > begin && used < room; --back) ++used;
  }
  while (splits(back)) ++back;
  while (splits(front)) --front;
  std::string cut(text.substr(0, glyphs[front].begin));
  cut += kEllipsis;
  if (back < glyphs.size()) cut += text.substr(glyphs[back].begin);
  return cut;
}

void append_wrapped(std::string& out, std::string_view text, std::size_t indent,
                    std::size_t hanging, std::size_t width) {
  out.append(indent, ' ');
  std::size_t column = indent;
  bool first = true;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const std::size_t length = display_width(word);
    if (!first && width != 0 && column + 1 + length > width) {
      (out += '\n').append(hanging, ' ');
      column = hanging;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += length;
    first = false;
  }
  out += '\n';
}

}  // namespace umaskaudit

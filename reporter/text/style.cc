// SGR sequences (ECMA-48, 8.3.117) for the few styles that reports use.
// Must never use a colour that is unreadable on light or dark terminals: only the sixteen named
// ones.
#include "reporter/text/style.h"

namespace umaskaudit {
namespace {

const char* sequence(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::strong:
      return "\x1b[1m";
    case Style::dim:
      return "\x1b[2m";
    case Style::good:
      return "\x1b[32m";
    case Style::warning:
      return "\x1b[33m";
    case Style::bad:
      return "\x1b[31m";
  }
  return "";
}

}  // namespace

std::string Paint::operator()(Style style, std::string_view text) const {
  if (!colour_ || style == Style::plain || text.empty()) return std::string(text);
  return std::string(sequence(style)).append(text).append("\x1b[0m");
}

}  // namespace umaskaudit

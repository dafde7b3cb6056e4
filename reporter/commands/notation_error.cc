#include "reporter/commands/notation_error.h"

#include <algorithm>
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/render/mode_text.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"

namespace umaskaudit::commands {

std::string caret_lines(std::string_view text, std::size_t offset) {
  const std::string before = escape(text.substr(0, offset));
  const std::string after = escape(text.substr(std::min(offset, text.size())));
  const std::string indent(4, ' ');
  return indent + before + after + '\n' + indent + std::string(display_width(before), ' ') + "^\n";
}

int fail_notation(Console& console, const char* what, const std::string& text,
                  const NotationError& error, const std::string& hint) {
  const int code = fail(console, {std::string("bad ") + what + " '" + text + "'", error.message,
                                  hint, ExitCode::usage});
  console.err << caret_lines(text, error.offset) << std::flush;
  return code;
}

void warn_of_mode(Console& console, Mode mask) {
  const std::optional<Mode> intended = intended_mask(mask);
  if (!intended) return;
  warn(console, "mask " + octal(mask) + " takes rights from the owner; if " + octal(mask) +
                    " is the mode that files should get, the mask is " + octal(*intended));
}

}  // namespace umaskaudit::commands

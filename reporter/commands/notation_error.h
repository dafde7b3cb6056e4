// Bad notation on the command line, with a caret under the offending character, and doubtful masks.
// Must never print a control byte of the text as it is. Called by the commands that take modes,
// masks and ACLs.
#pragma once

#include <string>
#include <string_view>

#include "reporter/base/console.h"
#include "reporter/mode/notation.h"

namespace umaskaudit::commands {

// The text and, below it, a caret: two lines, indented by four blanks.
std::string caret_lines(std::string_view text, std::size_t offset);

// Prints the error line ("bad mask 'u=rz'", `what` being "mask") and then the caret on console.err.
// Returns the exit code for bad usage.
int fail_notation(Console& console, const char* what, const std::string& text,
                  const NotationError& error, const std::string& hint);

// Warns when `mask` looks like a mode, and names the mask that was meant.
void warn_of_mode(Console& console, Mode mask);

}  // namespace umaskaudit::commands

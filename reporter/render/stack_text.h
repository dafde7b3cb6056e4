// Stacks as lines, and the one frame of a stack that people want to see.
// Must never drop a frame of a full stack, nor print a symbol unescaped: they come from the
// program. Called by the text renderers, the summaries and the rules' reports.
#pragma once

#include <string>
#include <vector>

#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit {

// "parse_args main.c:12", "main (a.out)", "libfoo.so+0x1a2b"; escaped. Empty for no frame.
std::string site(const Frame* frame);

// The innermost frame that is not the shim's, libc's or the C++ run time's: the code that did it.
// The innermost of all when every frame is theirs; null for an empty stack.
const Frame* culprit(const std::vector<Frame>& stack);

// One line a frame, "#0 symbol file:line (module+0xoff)", each indented and ended by a newline.
std::string stack_lines(const std::vector<Frame>& stack, std::size_t indent);

// The name behind the last slash.
std::string base_name(const std::string& path);

}  // namespace umaskaudit

// Stacks as lines, and one frame as a place.
// Must never drop a frame of a full stack, nor print a symbol unescaped: they come from the
// program. Called by the text renderers, the summaries and the rules' reports.
#pragma once

#include <string>
#include <vector>

#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit {

// "parse_args main.c:12", "main (a.out)", "libfoo.so+0x1a2b"; escaped. Empty for no frame.
std::string site(const Frame* frame);

// One line a frame, "#0 symbol file:line (module+0xoff)", each indented and ended by a newline.
std::string stack_lines(const std::vector<Frame>& stack, std::size_t indent);

}  // namespace umaskaudit

// Stacks as lines, and one frame as a place.
// Must never drop a frame of a full stack without a word, nor print a symbol unescaped: they come
// from the program. Called by the text renderers, the summaries and the rules' reports.
#pragma once

#include <string>
#include <vector>

#include "reporter/analysis/stack_cache.h"
#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::render {

// "parse_args main.c:12", "main (a.out)", "libfoo.so+0x1a2b"; of a script "set_mask app.py:12",
// "build.sh:3"; escaped. Empty for no frame.
std::string site(const symbolize::Frame* frame);

// The culprit's place, and where the program has no script and one started it, that script's:
// "install+0x5cc2, started by main build.sh:14".
std::string place_text(analysis::StackCache& stacks, StackRef ref);

// That script's alone; empty where place_text() names none.
std::string starter_text(analysis::StackCache& stacks, StackRef ref);

// The line of a script that is behind an event: of the program itself, else starter_text().
std::string script_text(analysis::StackCache& stacks, StackRef ref);

// Whether the shim could not read every frame of the script: a coroutine that is being switched to,
// an interpreter within another one.
bool misses_script_frames(analysis::StackCache& stacks, StackRef ref);

// The stack of an event, in full where the cache's view says so, else its own frames; and who
// started the program, as in place_text(). `root`: as of own_stack_lines().
std::string event_stack_lines(analysis::StackCache& stacks, StackRef ref, std::size_t indent,
                              const std::string& root = "");

// One line a frame, "#0 symbol file:line (module+0xoff)" or "#0 symbol file:line (Python)", each
// indented and ended by a newline; at the end how many are not shown, "... 31 library frames".
std::string stack_lines(const std::vector<symbolize::Frame>& stack, std::size_t indent);
// The same of own_frames() alone, with short names; files below `root`, where it is not empty, are
// named relative to it.
std::string own_stack_lines(const std::vector<symbolize::Frame>& stack, std::size_t indent,
                            const std::string& root = "");

}  // namespace umaskaudit::render

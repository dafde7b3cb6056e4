// The pages of `top` that take the whole screen: the keys, one thread, one finding.
// Must never show a byte of the program unescaped. Called by the screen of `top`.
#pragma once

#include <string>
#include <vector>

#include "reporter/analysis/stack_cache.h"
#include "reporter/live/live_tables.h"
#include "reporter/live/live_view.h"

namespace umaskaudit::live {

// All in lines without their newline, of at most `width` columns.
std::vector<std::string> help_page(std::size_t width, Paint paint);
std::vector<std::string> thread_page(const LiveView& view, const LiveFacts& facts,
                                     analysis::ThreadId key, analysis::StackCache& stacks,
                                     std::size_t width, Paint paint);
std::vector<std::string> finding_page(const FindingLine& finding, std::size_t width);

// A line that is too wide is cut in the middle, with a mark, and loses its colours.
std::string fit_line(const std::string& line, std::size_t width);
// Adds the lines of `text`, fit, to `out`.
void add_lines(std::vector<std::string>& out, const std::string& text, std::size_t width);

}  // namespace umaskaudit::live

// The source line of a call, with a mark under it, as compilers show it.
// Must never look at a file: StackCache holds the lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "reporter/analysis/stack_cache.h"

namespace umaskaudit::render {

// Two lines, or nothing where the line is not known:
//   race.cc:9 | mode_t m = umask(0);
//             |            ^~~~~~~~ label
// `real_ns` is the time of the call: a line that was written after it is not shown. `call` is
// marked, or what the frame called on its way to it; else the whole line. Neither is longer than
// `width` (0: no limit), and both are cut with a mark. `label` is ours.
std::string source_text(analysis::StackCache& stacks, StackRef ref, std::uint64_t real_ns,
                        std::string_view call, const std::string& label, std::size_t indent,
                        std::size_t width);

}  // namespace umaskaudit::render

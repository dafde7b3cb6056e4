// Merges the script frames of a stack into its native frames.
// Must never use a symbol: the positions depend on addresses only, so they are the same without
// symbols.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/events/script_stack.h"

namespace umaskaudit::symbolize {

// One frame of the merged stack: the index of a native or a script frame.
struct MergedFrame {
  std::size_t index = 0;
  bool script = false;
  bool operator==(const MergedFrame&) const = default;
};

// Innermost first. Script frames replace the native frame that ran them; see languages.def.
// `truncated`: native frames are missing at the outer end.
std::vector<MergedFrame> merge_script(std::span<const RawFrame> native, const ScriptStack& script,
                                      bool truncated);

}  // namespace umaskaudit::symbolize

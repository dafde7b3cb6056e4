// Where the frames of a script stand among the native frames of the same stack.
// Must never look at a symbol: the places go by addresses, so that they are the same without any.
// Called by run_stack.cc.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/events/script_stack.h"

namespace umaskaudit {

// One frame of the merged stack: the index of a native one, or of a script's.
struct MergedFrame {
  std::size_t index = 0;
  bool script = false;
  bool operator==(const MergedFrame&) const = default;
};

// Innermost first. A native frame that ran script frames gives way to them; see languages.def.
// `truncated`: the native frames are not all there.
std::vector<MergedFrame> merge_script(std::span<const RawFrame> native, const ScriptStack& script,
                                      bool truncated);

}  // namespace umaskaudit

// Finds the unwind rule for a code address in the call frame information of x86-64 ELF objects, the
// .eh_frame that every compiler emits.
// Must never read outside the object that a table belongs to, as far as its bounds are known.
// cfi_tables.h parses the tables.
#pragma once

#include <cstdint>

#include "preload/unwind/frame_rule.h"

namespace umaskaudit::shim {

// The rule for the code at `pc` (inside the calling instruction, so return address - 1).
// Async-signal-safe.
Lookup find_rule(std::uintptr_t pc, FrameRule& rule, RuleSpace& space);

}  // namespace umaskaudit::shim

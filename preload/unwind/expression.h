// Evaluates expressions of call frame information, which signal trampolines and functions that
// realign their stack have. Must never loop, nor read unmapped memory.
#pragma once

#include <cstdint>

#include "preload/unwind/expression_machine.h"
#include "preload/unwind/memory.h"

namespace umaskaudit::shim {

// Evaluates a length-prefixed block, with `initial` on the stack (the CFA, for register rules;
// DWARF 5, 6.4.2.3). False: an operation or a register that is not supported, or no memory.
bool evaluate_expression(const std::uint8_t* block, const FrameRegisters& registers,
                         const std::uintptr_t* initial, StackMemory& memory, std::uintptr_t& out);

}  // namespace umaskaudit::shim

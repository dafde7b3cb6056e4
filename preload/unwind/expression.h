// The few DWARF expression operations that call frame information uses in practice: signal
// trampolines and functions that realign their stack.
// Must never loop: there are no branches in what is accepted here.
#pragma once

#include <cstdint>

#include "preload/unwind/memory.h"

namespace umaskaudit::shim {

struct FrameRegisters {
  std::uintptr_t pc;
  std::uintptr_t sp;
  std::uintptr_t fp;
};

// Evaluates a length-prefixed block, with `initial` on the stack (the CFA, for register rules;
// DWARF 5, 6.4.2.3). False: an operation or a register that is not supported, or no memory.
bool evaluate_expression(const std::uint8_t* block, const FrameRegisters& registers,
                         const std::uintptr_t* initial, StackMemory& memory, std::uintptr_t& out);

}  // namespace umaskaudit::shim

// The stack machine on the thread's own memory; see expression.h.

#include "preload/unwind/expression.h"

namespace umaskaudit::shim {

bool evaluate_expression(const std::uint8_t* block, const FrameRegisters& registers,
                         const std::uintptr_t* initial, StackMemory& memory, std::uintptr_t& out) {
  return expression::evaluate(block, registers, initial, memory, out);
}

}  // namespace umaskaudit::shim

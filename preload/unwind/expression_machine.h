// A stack machine for the few DWARF expression operations that call frame information uses in
// practice, whatever memory the stack is in.
// Must never loop: there are no branches in what is accepted here. A number may begin before the
// end of the block and end up to 15 bytes behind it. Included by expression.cc and
// copied_tables.cc.
#pragma once

#include <cstdint>
#include <cstring>

#include "preload/unwind/leb128.h"

namespace umaskaudit::shim {

struct FrameRegisters {
  std::uintptr_t pc;
  std::uintptr_t sp;
  std::uintptr_t fp;
};

namespace expression {

constexpr unsigned kStack = 16;

inline std::uint64_t uleb(const std::uint8_t*& at) {
  return read_uleb([&] { return *at++; });
}
inline std::int64_t sleb(const std::uint8_t*& at) {
  return read_sleb([&] { return *at++; });
}

template <typename T>
T fixed(const std::uint8_t*& at) {
  T value{};
  memcpy(&value, at, sizeof value);
  at += sizeof value;
  return value;
}

inline bool base_register(unsigned number, const FrameRegisters& registers, std::uintptr_t& out) {
  if (number == 6) out = registers.fp;
  if (number == 7) out = registers.sp;
  if (number == 16) out = registers.pc;
  return number == 6 || number == 7 || number == 16;
}

// One operation with two operands on the stack; false: none of these.
inline bool binary(std::uint8_t op, std::uintptr_t left, std::uintptr_t right,
                   std::uintptr_t& out) {
  switch (op) {
    case 0x1a:  // DW_OP_and
      out = left & right;
      return true;
    case 0x1c:  // DW_OP_minus
      out = left - right;
      return true;
    case 0x22:  // DW_OP_plus
      out = left + right;
      return true;
    case 0x24:  // DW_OP_shl
      out = right < 64 ? left << right : 0;
      return true;
    case 0x2a:  // DW_OP_ge
      out = static_cast<std::intptr_t>(left) >= static_cast<std::intptr_t>(right) ? 1 : 0;
      return true;
    default:
      return false;
  }
}

// As evaluate_expression() of expression.h. Memory::read_and_depend() as that of memory.h.
template <typename Memory>
bool evaluate(const std::uint8_t* block, const FrameRegisters& registers,
              const std::uintptr_t* initial, Memory& memory, std::uintptr_t& out) {
  const std::uint64_t length = uleb(block);
  const std::uint8_t* end = block + length;
  std::uintptr_t stack[kStack];
  unsigned depth = 0;
  if (initial != nullptr) stack[depth++] = *initial;
  while (block < end) {
    const std::uint8_t op = *block++;
    if (depth == kStack) return false;
    if (op >= 0x30 && op <= 0x4f) {  // DW_OP_lit0...
      stack[depth++] = op - 0x30u;
    } else if (op >= 0x70 && op <= 0x8f) {  // DW_OP_breg0...
      std::uintptr_t value = 0;
      if (!base_register(op - 0x70u, registers, value)) return false;
      stack[depth++] = value + static_cast<std::uintptr_t>(sleb(block));
    } else if (op == 0x08) {  // DW_OP_const1u
      stack[depth++] = fixed<std::uint8_t>(block);
    } else if (op == 0x09) {
      stack[depth++] = static_cast<std::uintptr_t>(std::intptr_t{fixed<std::int8_t>(block)});
    } else if (op == 0x23) {  // DW_OP_plus_uconst
      if (depth == 0) return false;
      stack[depth - 1] += uleb(block);
    } else if (op == 0x06) {  // DW_OP_deref
      if (depth == 0 || !memory.read_and_depend(stack[depth - 1], stack[depth - 1])) return false;
    } else {
      if (depth < 2 || !binary(op, stack[depth - 2], stack[depth - 1], stack[depth - 2])) {
        return false;
      }
      --depth;
    }
  }
  if (depth == 0) return false;
  out = stack[depth - 1];
  return true;
}

}  // namespace expression
}  // namespace umaskaudit::shim

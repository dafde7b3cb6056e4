// How to get from a frame to its caller, as a table says it.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// How to get from a frame to its caller. Registers by their DWARF numbers: 6 rbp, 7 rsp, 16 return
// address. Only these are followed: gcc and clang need no other to describe a frame.
struct FrameRule {
  enum class Cfa : std::uint8_t { none, rsp, rbp, expression };
  Cfa cfa = Cfa::none;
  bool signal_frame = false;  // the saved pc is exact, not a return address
  bool end = false;           // undefined return address: outermost frame
  bool rbp_saved = false;     // at CFA + rbp_offset, or where rbp_expression says
  std::int32_t cfa_offset = 0;
  std::int32_t rbp_offset = 0;
  std::int32_t pc_offset = -8;
  // DWARF expressions (a length-prefixed block); null when not used.
  const std::uint8_t* cfa_expression = nullptr;
  const std::uint8_t* rbp_expression = nullptr;
  const std::uint8_t* pc_expression = nullptr;
  const std::uint8_t* sp_expression = nullptr;
};

enum class Lookup : std::uint8_t { found, no_object, no_table };

// What a lookup writes while it runs the instructions of a table, and where its caller may want
// the rule. Not on the stack, which may be a small one.
struct RuleSpace {
  FrameRule rule;
  alignas(8) unsigned char bytes[800];
};

}  // namespace umaskaudit::shim

// Call frame information for a reader outside the process, which has copied the tables from a file
// or from another process's memory, and trusts no number in them.
// Must never read outside the copy. Not part of the shim. Called by the tracer, once for each code
// address (`../../reporter/tracer`).
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/unwind/expression_machine.h"
#include "preload/unwind/frame_rule.h"

namespace umaskaudit::shim {

// All addresses are in the copy: the distance from the tables to the code is that of the program,
// even if the code was not copied.
struct CopiedTables {
  // So many readable bytes, all 0, follow `end`: a number may begin before it.
  static constexpr std::size_t kPadding = 16;
  const std::uint8_t* begin = nullptr;
  const std::uint8_t* end = nullptr;
  const std::uint8_t* hdr = nullptr;  // .eh_frame_hdr, between the two
};

Lookup find_rule(const CopiedTables& tables, std::uintptr_t pc, FrameRule& rule, RuleSpace& space);

// For a program without .eh_frame_hdr: visits the entries of .eh_frame from `place` on. False: no
// more. `code`: start of the entry's function; 0: it has none.
struct FrameEntry {
  const std::uint8_t* fde = nullptr;
  std::uintptr_t code = 0;
};
bool next_entry(const CopiedTables& tables, const std::uint8_t*& place, FrameEntry& entry);

// Whether `hdr` has a table that find_rule() can search.
bool is_searchable(const CopiedTables& tables);

// Evaluates an expression of a rule from these tables. `Memory` has
// bool read_and_depend(std::uintptr_t address, std::uintptr_t& word).
template <typename Memory>
bool evaluate_copied(const std::uint8_t* block, const FrameRegisters& registers,
                     const std::uintptr_t* initial, Memory& memory, std::uintptr_t& out) {
  return expression::evaluate(block, registers, initial, memory, out);
}

}  // namespace umaskaudit::shim

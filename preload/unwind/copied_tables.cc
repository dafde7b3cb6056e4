// Reads tables that were copied; see copied_tables.h.

#include "preload/unwind/copied_tables.h"

#include <cstring>

#include "preload/unwind/cfi_tables.h"

namespace umaskaudit::shim {

namespace {

static_assert(CopiedTables::kPadding >= cfi::kPadding);

class CopiedMemory {
 public:
  explicit CopiedMemory(const CopiedTables& tables) : begin_(tables.begin), end_(tables.end) {}
  bool readable(const std::uint8_t* part) const { return holds(part, 1); }
  // The numbers may lead anywhere, so addresses are compared, not pointers into one object.
  bool holds(const std::uint8_t* part, std::uint64_t size) const {
    const auto at = reinterpret_cast<std::uintptr_t>(part);
    const auto end = reinterpret_cast<std::uintptr_t>(end_);
    return at >= reinterpret_cast<std::uintptr_t>(begin_) && at <= end && size <= end - at;
  }

 private:
  const std::uint8_t* begin_;
  const std::uint8_t* end_;
};

}  // namespace

Lookup find_rule(const CopiedTables& tables, std::uintptr_t pc, FrameRule& rule, RuleSpace& space) {
  return cfi::read_rule(CopiedMemory(tables), tables.hdr, pc, rule, space);
}

bool is_searchable(const CopiedTables& tables) {
  const CopiedMemory memory(tables);
  return memory.readable(tables.hdr) && cfi::read_functions(memory, tables.hdr).pairs != nullptr;
}

bool next_entry(const CopiedTables& tables, const std::uint8_t*& place, FrameEntry& entry) {
  const CopiedMemory memory(tables);
  // A length of 0 ends the entries of one object file.
  for (std::uint32_t length = 0; memory.holds(place, sizeof length); place += sizeof length) {
    memcpy(&length, place, sizeof length);
    if (length != 0) break;
  }
  cfi::Entry bounds;
  if (!cfi::read_entry(memory, place, bounds)) return false;
  entry = {place, 0};
  place = bounds.end;
  cfi::Cie cie;
  cfi::Function function;
  if (cfi::read_function(memory, entry.fde, cie, function)) entry.code = function.begin;
  return true;
}

}  // namespace umaskaudit::shim

// Finds the tables of the process's own code; see cfi.h.

#include "preload/unwind/cfi.h"

#include "preload/sys/loaded_objects.h"
#include "preload/sys/sys.h"
#include "preload/unwind/cfi_tables.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

namespace {

// The tables as the loader mapped them. The program may have unmapped what it does not need, so
// each part is tested; a linker wrote them, so their lengths are right.
struct OwnMemory {
  static bool readable(const std::uint8_t* part) { return sys::readable(part); }
  static bool holds(const std::uint8_t*, std::uint64_t) { return true; }
};

// Not inlined into read_rule(), because both have large frames. False: the code is in no object.
[[gnu::noinline]] bool find_table(std::uintptr_t pc, const std::uint8_t*& hdr) {
  LoadedObject object;
  if (!find_object(pc, object)) return false;
  hdr = object.eh_frame;
  return true;
}

}  // namespace

CodeRange tableless_code(std::uintptr_t pc) {
  LoadedObject object;
  if (!find_object(pc, object) || object.eh_frame == nullptr || !sys::readable(object.eh_frame)) {
    return {};
  }
  const cfi::FunctionTable table = cfi::read_functions(OwnMemory{}, object.eh_frame);
  if (table.pairs == nullptr) return {};
  const std::uint32_t before = cfi::functions_up_to(table, pc);
  CodeRange range{object.start, object.end};
  if (before != 0) {
    cfi::Cie cie;
    cfi::Function function;
    const std::uint8_t* const fde = object.eh_frame + table.at(before - 1).fde;
    if (!cfi::read_function(OwnMemory{}, fde, cie, function)) return {};
    range.begin = function.begin + function.size;
  }
  if (before != table.count) range.end = table.address(table.at(before).start);
  return range.begin <= pc && pc < range.end ? range : CodeRange{};
}

Lookup find_rule(std::uintptr_t pc, FrameRule& rule, RuleSpace& space) {
  const std::uint8_t* hdr = nullptr;
  if (!find_table(pc, hdr)) return Lookup::no_object;
  if (hdr == nullptr) return Lookup::no_table;
  return cfi::read_rule(OwnMemory{}, hdr, pc, rule, space);
}

}  // namespace umaskaudit::shim

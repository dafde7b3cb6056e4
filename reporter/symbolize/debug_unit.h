// DebugUnit: one compilation unit of DWARF: the function at an address, and the calls inlined
// there.
// Must never search the whole unit for each address: its functions are indexed once.
#pragma once

#include <elfutils/libdw.h>

#include <optional>
#include <string>
#include <vector>

#include "reporter/symbolize/address_ranges.h"
#include "reporter/symbolize/location.h"

namespace umaskaudit::symbolize {

class DebugUnit {
 public:
  // `debug_directory`: where this unit's file is; split DWARF is searched for there too.
  DebugUnit(const Dwarf_Die& unit, const std::string& debug_directory);

  // The locations of the instruction at `address`, innermost first; empty if the unit has none.
  Places expand(Dwarf_Addr address);

 private:
  void index_functions(const Dwarf_Die& parent, int depth);
  void add_function(Dwarf_Die* die);
  std::optional<Dwarf_Die> function_at(Dwarf_Addr address);
  Location innermost_place(Dwarf_Addr address);
  std::string file_name(Dwarf_Word index);

  Dwarf_Die lines_;  // has the line table: the skeleton, where DWARF is split
  Dwarf_Die tree_;   // has the functions
  std::string language_;
  std::string built_in_;  // the build directory, if absolute; else empty
  bool indexed_ = false;
  std::vector<AddressRange<Dwarf_Die>> functions_;
};

}  // namespace umaskaudit::symbolize

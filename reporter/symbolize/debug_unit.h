// One compilation unit of DWARF: which function covers an address, and the calls inlined there.
// Must never search the whole unit for each address: its functions are indexed once.
// Called by debug_info.cc.
#pragma once

#include <elfutils/libdw.h>

#include <optional>
#include <string>
#include <vector>

#include "reporter/symbolize/address_ranges.h"
#include "reporter/symbolize/location.h"

namespace umaskaudit {

class DebugUnit {
 public:
  // `debug_directory`: where the file with this unit lies; split DWARF is looked up there too.
  DebugUnit(const Dwarf_Die& unit, const std::string& debug_directory);

  // Places of the instruction at `address`, innermost first; empty when the unit has none.
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
  std::string built_in_;  // the directory of the build, absolute; else empty
  bool indexed_ = false;
  std::vector<AddressRange<Dwarf_Die>> functions_;
};

}  // namespace umaskaudit

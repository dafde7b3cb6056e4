// DebugInfo: the DWARF of one module: functions, files and lines by address.
// Must never open a file itself; module.cc passes the files.
#pragma once

#include <elfutils/libdw.h>

#include <memory>
#include <string>
#include <vector>

#include "reporter/symbolize/address_ranges.h"
#include "reporter/symbolize/debug_unit.h"

namespace umaskaudit::symbolize {

class DebugInfo {
 public:
  // Lists the units of `dwarf`, which must live longer.
  DebugInfo(Dwarf* dwarf, std::string directory);

  // The locations of the instruction at `address`, innermost first; empty if DWARF has none.
  Places expand(Dwarf_Addr address);

 private:
  std::string directory_;
  std::vector<Dwarf_Die> dies_;
  std::vector<std::unique_ptr<DebugUnit>> units_;  // created when first needed
  std::vector<AddressRange<std::size_t>> ranges_;  // index of dies_ and units_
};

}  // namespace umaskaudit::symbolize

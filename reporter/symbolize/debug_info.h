// The DWARF of one module: from an address to functions, files and lines.
// Must never open a file by itself; module.cc gives it what was found.
// Called by module.cc.
#pragma once

#include <elfutils/libdw.h>

#include <memory>
#include <string>
#include <vector>

#include "reporter/symbolize/address_ranges.h"
#include "reporter/symbolize/debug_unit.h"

namespace umaskaudit {

class DebugInfo {
 public:
  // Lists the units of `dwarf`, which must live longer.
  DebugInfo(Dwarf* dwarf, std::string directory);

  // Places of the instruction at `address`, innermost first; empty when DWARF says nothing.
  Places expand(Dwarf_Addr address);

 private:
  std::string directory_;
  std::vector<Dwarf_Die> dies_;
  std::vector<std::unique_ptr<DebugUnit>> units_;  // made when first needed
  std::vector<AddressRange<std::size_t>> ranges_;  // index of dies_ and units_
};

}  // namespace umaskaudit

#include "reporter/symbolize/debug_info.h"

#include <dwarf.h>

#include <utility>

namespace umaskaudit::symbolize {

// .debug_aranges would be quicker to read, but clang does not write it and a hostile file can lie
// in it; the units' own ranges take milliseconds for a thousand units.
DebugInfo::DebugInfo(Dwarf* dwarf, std::string directory) : directory_(std::move(directory)) {
  Dwarf_CU* unit = nullptr;
  Dwarf_Die die;
  while (dwarf_get_units(dwarf, unit, &unit, nullptr, nullptr, &die, nullptr) == 0) {
    Dwarf_Addr base = 0;
    Dwarf_Addr low = 0;
    Dwarf_Addr high = 0;
    ptrdiff_t offset = 0;
    bool has_code = false;
    while ((offset = dwarf_ranges(&die, offset, &base, &low, &high)) > 0) {
      if (low == 0 || low >= high) continue;  // dropped by the linker
      ranges_.push_back({low, high, dies_.size()});
      has_code = true;
    }
    if (has_code) dies_.push_back(die);
  }
  sort_ranges(ranges_);
  units_.resize(dies_.size());
}

Places DebugInfo::expand(Dwarf_Addr address) {
  const AddressRange<std::size_t>* range = range_at(ranges_, address);
  if (range == nullptr) return {};
  std::unique_ptr<DebugUnit>& unit = units_[range->value];
  if (unit == nullptr) unit = std::make_unique<DebugUnit>(dies_[range->value], directory_);
  return unit->expand(address);
}

}  // namespace umaskaudit::symbolize

// SymbolTable: the ELF symbols of one module, for code without DWARF: .symtab, .dynsym and
// .gnu_debugdata.
// Must never scan the table for each address, as dwfl_module_addrinfo does: it is sorted once.
#pragma once

#include <elfutils/libdwfl.h>

#include <string>
#include <vector>

#include "reporter/symbolize/address_ranges.h"

namespace umaskaudit::symbolize {

class SymbolTable {
 public:
  // Reads all symbols of `module`, which must live longer.
  explicit SymbolTable(Dwfl_Module* module);

  bool empty() const { return symbols_.empty(); }
  // The demangled name of the function around `address`; empty when there is none.
  std::string name_at(GElf_Addr address) const;

 private:
  std::vector<AddressRange<const char*>> symbols_;
};

}  // namespace umaskaudit::symbolize

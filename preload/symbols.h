// Function names for the live log, read from the symbol table of the file itself.
// Must never take the loader's lock (dladdr(3) does). The reporter has better names; this one must
// do without memory allocation, debug information and demangling.
#pragma once

#include <cstdint>

#include "preload/modules.h"

namespace umaskaudit::shim {

struct Symbol {
  const char* name;
  unsigned length;
  std::uintptr_t start;
};

// The function that `pc` lies in. Maps the module's file once; false when there is no name, or when
// the file is not the one that was loaded.
bool find_symbol(const Module& module, std::uintptr_t pc, Symbol& symbol);

// After dlclose(3): another file may be loaded at the same place.
void forget_symbols();

}  // namespace umaskaudit::shim

// Function names for the live log, read from the symbol table of the file itself.
// Must never take the loader's lock (dladdr(3) does). The reporter has better names; this one must
// do without memory allocation, debug information and demangling.
#pragma once

#include <cstdint>

#include "preload/stack/modules.h"

namespace umaskaudit::shim {

struct Symbol {
  static constexpr unsigned kLongest = 400;  // of C++ templates more is not shown
  char name[kLongest];
  unsigned length;
  bool cut;
  std::uintptr_t start;
};

// The function that `pc` lies in. Maps the module's file once; false when there is no name, or when
// the file is not the one that was loaded. Signals are blocked meanwhile, by the caller: a jump out
// of a handler would leave a file that is read for ever.
bool find_symbol(const Module& module, std::uintptr_t pc, Symbol& symbol);

// After dlclose(3): unmaps the files of what is no longer loaded, and lets their places go.
void forget_symbols();

// In a forked child: threads that do not exist there read no file any more.
void release_symbols();

}  // namespace umaskaudit::shim

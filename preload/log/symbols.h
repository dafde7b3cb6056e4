// Looks up function names for the live log in the symbol table of the module's file.
// Must never take the loader's lock (dladdr(3) does), nor use memory allocation or debug
// information.
#pragma once

#include <cstdint>

#include "preload/stack/modules.h"

namespace umaskaudit::shim {

struct Symbol {
  static constexpr unsigned kLongest = 400;  // longer names of C++ templates are cut
  char name[kLongest];
  unsigned length;
  bool cut;
  std::uintptr_t start;
};

// The function that contains `pc`. Maps the module's file once; false when there is no name, or
// when the file is not the one that was loaded. The caller has blocked signals: a jump out of a
// handler would leave the file marked as being read.
bool find_symbol(const Module& module, std::uintptr_t pc, Symbol& symbol);

// After dlclose(3): unmaps the files of modules that are no longer loaded.
void forget_symbols();

// In a forked child: forgets readers that do not exist there.
void release_symbols();

}  // namespace umaskaudit::shim

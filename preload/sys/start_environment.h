// The arguments and the environment that the process started with, and its LD_PRELOAD entry for us.
// Must never be used in secure-execution mode (getauxval(3), AT_SECURE).
#pragma once

#include <cstddef>

namespace umaskaudit::shim {

// The program's arguments on the initial stack, with a null pointer behind them; those of ld.so,
// when it was called as a command, come first. Null: not known.
char** start_arguments();

// environ; where libc has not set it yet (.preinit_array, IFUNC resolvers), the array on the
// initial stack that it will be set to. Null: none.
char** start_environment();

// The value of a variable in it, or null.
const char* start_variable(const char* name);

// The entry of LD_PRELOAD that loaded this library, under whatever name.
struct PreloadEntry {
  const char* begin = nullptr;  // null: none
  std::size_t length = 0;
};
PreloadEntry own_preload_entry(const char* list);

}  // namespace umaskaudit::shim

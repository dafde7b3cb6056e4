// The arguments and the environment that the process started with, and what it says about us.
// Must never be asked in secure-execution mode (getauxval(3), AT_SECURE): it is not obeyed there.
// Called by init and by exec_environment.cc,
// at the start, and by script/.
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

// The entry of a list like LD_PRELOAD's that this library was loaded by, however it is called.
struct PreloadEntry {
  const char* begin = nullptr;  // null: none
  std::size_t length = 0;
};
PreloadEntry own_preload_entry(const char* list);

}  // namespace umaskaudit::shim

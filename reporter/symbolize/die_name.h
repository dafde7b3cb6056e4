// The full name of a function's debugging entry (DIE).
// Must never walk without a bound: origins of a hostile file can form a ring.
// Called by debug_info.cc for each function on a chain of inlined calls.
#pragma once

#include <elfutils/libdw.h>

#include <string>

namespace umaskaudit {

// The linkage name demangled where it is a mangled one; else the name with its namespaces, classes
// and functions in front: g++ gives no linkage name to functions of internal linkage, and C code
// has linkage names that nobody wrote ("__GI_qsort").
std::string function_name(Dwarf_Die* die);

}  // namespace umaskaudit

// The qualified name of a function's debugging information entry (DIE).
// Must never walk without a bound: origins of a hostile file can form a ring.
#pragma once

#include <elfutils/libdw.h>

#include <string>

namespace umaskaudit::symbolize {

// The demangled linkage name if there is a mangled one; else the name with its namespaces, classes
// and functions: g++ writes no linkage name for functions of internal linkage, and linkage names in
// C are internal aliases ("__GI_qsort").
std::string function_name(Dwarf_Die* die);

}  // namespace umaskaudit::symbolize

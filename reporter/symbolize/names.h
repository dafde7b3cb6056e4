// Names for people: demangled symbols and the languages of DWARF.
// Must never be fed a name of unbounded length: the demangler recurses.
// Called by debug_info.cc and symbol_table.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace umaskaudit {

// Names of C++ and Rust as they were written, without Rust's hashes; every other name unchanged.
// Rust's newer scheme ("_R...") needs libiberty.
std::string demangle(const char* name);

// Whether a linkage name says more than the plain name: C++, Rust, D and Swift mangle.
bool is_mangled(std::string_view name);

inline constexpr char kAssembler[] = "assembler";

// "C", "C++", "Rust", ... for a DW_LANG value (dwarf.h); empty when it has no common name.
const char* language_name(std::uint64_t dw_lang);

}  // namespace umaskaudit

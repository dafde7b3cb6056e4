// Names for people: demangled symbols and the languages of DWARF.
// Must never be fed a name of unbounded length: the demangler recurses.
// Called by debug_info.cc and symbol_table.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace umaskaudit {

// C++ (and legacy Rust, without its hash) names as they were written; every other name unchanged.
std::string demangle(const char* name);

// Whether a linkage name says more than the plain name: C++, Rust, D and Swift mangle.
bool is_mangled(std::string_view name);

inline constexpr char kAssembler[] = "assembler";

// "C", "C++", "Rust", ... for a DW_LANG value (dwarf.h); empty when it has no common name.
const char* language_name(std::uint64_t dw_lang);

}  // namespace umaskaudit

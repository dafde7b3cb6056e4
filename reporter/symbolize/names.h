// Demangles symbols, and names the languages of DWARF.
// Must never be called with a name of unbounded length: the demangler recurses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace umaskaudit::symbolize {

// Names of C++ and Rust as they were written, without Rust's hashes; every other name unchanged.
// Rust's newer scheme ("_R...") needs libiberty.
std::string demangle(const char* name);

// Whether linkage names of the language are mangled: C++, Rust, D and Swift.
bool is_mangled(std::string_view name);

inline constexpr char kAssembler[] = "assembler";

// "C", "C++", "Rust", ... for a DW_LANG value (dwarf.h); empty when it has no common name.
const char* language_name(std::uint64_t dw_lang);

}  // namespace umaskaudit::symbolize

#include "reporter/symbolize/names.h"

#include <cxxabi.h>
#include <dwarf.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#ifdef HAVE_LIBIBERTY
#define HAVE_DECL_BASENAME 1  // its declaration differs from string.h's
#include <libiberty/demangle.h>
#endif

namespace umaskaudit::symbolize {
namespace {

// Real ones from template-heavy code stay below a few KiB.
constexpr std::size_t kMaxMangled = 16384;

// Codes that elfutils 0.188's dwarf.h does not have yet (dwarfstd.org, language codes).
constexpr std::uint64_t kZig = 0x27;
constexpr std::uint64_t kCxx17 = 0x2a;
constexpr std::uint64_t kCxx20 = 0x2b;
constexpr std::uint64_t kC17 = 0x2c;

// rustc's legacy scheme appends a 64-bit hash as a last path part: "::h0123456789abcdef".
void strip_rust_hash(std::string& name) {
  constexpr std::size_t kSuffix = 19;
  if (name.size() <= kSuffix) return;
  const std::string_view tail = std::string_view(name).substr(name.size() - kSuffix);
  if (tail.substr(0, 3) != "::h") return;
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (std::all_of(tail.begin() + 3, tail.end(), is_hex)) name.resize(name.size() - kSuffix);
}

#ifdef HAVE_LIBIBERTY
// Empty: not a Rust name. The options: no hashes.
std::string demangle_rust(const char* name) {
  const std::unique_ptr<char, decltype(&std::free)> text(rust_demangle(name, DMGL_NO_OPTS),
                                                         &std::free);
  return text == nullptr ? "" : text.get();
}
#endif

}  // namespace

std::string demangle(const char* name) {
  const std::size_t length = strnlen(name, kMaxMangled);
  if (length == kMaxMangled) return std::string(name, length);
#ifdef HAVE_LIBIBERTY
  // v0, and the legacy scheme, which looks like C++ with a hash at its end.
  if (std::strncmp(name, "_R", 2) == 0 || std::strstr(name, "17h") != nullptr)
    if (std::string text = demangle_rust(name); !text.empty()) return text;
#endif
  if (std::strncmp(name, "_Z", 2) != 0) return name;
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(
      abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
  if (status != 0 || text == nullptr) return name;
  std::string result(text.get());
  strip_rust_hash(result);
  return result;
}

bool is_mangled(std::string_view name) {
  for (const std::string_view prefix : {"_Z", "_R", "_D", "$s", "$S"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

const char* language_name(std::uint64_t dw_lang) {
  switch (dw_lang) {
    case DW_LANG_C89:
    case DW_LANG_C:
    case DW_LANG_C99:
    case DW_LANG_C11:
    case kC17:
      return "C";
    case DW_LANG_C_plus_plus:
    case DW_LANG_C_plus_plus_03:
    case DW_LANG_C_plus_plus_11:
    case DW_LANG_C_plus_plus_14:
    case kCxx17:
    case kCxx20:
      return "C++";
    case DW_LANG_Rust:
      return "Rust";
    case DW_LANG_Go:
      return "Go";
    case DW_LANG_D:
      return "D";
    case kZig:
      return "Zig";
    case DW_LANG_Swift:
      return "Swift";
    case DW_LANG_ObjC:
      return "Objective-C";
    case DW_LANG_ObjC_plus_plus:
      return "Objective-C++";
    case DW_LANG_Ada83:
    case DW_LANG_Ada95:
      return "Ada";
    case DW_LANG_Fortran77:
    case DW_LANG_Fortran90:
    case DW_LANG_Fortran95:
    case DW_LANG_Fortran03:
    case DW_LANG_Fortran08:
      return "Fortran";
    case DW_LANG_OCaml:
      return "OCaml";
    case DW_LANG_Haskell:
      return "Haskell";
    case DW_LANG_Pascal83:
      return "Pascal";
    case DW_LANG_Mips_Assembler:
      return kAssembler;
    default:
      return "";
  }
}

}  // namespace umaskaudit::symbolize

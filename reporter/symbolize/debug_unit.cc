#include "reporter/symbolize/debug_unit.h"

#include <dwarf.h>

#include <filesystem>

#include "reporter/symbolize/die_name.h"
#include "reporter/symbolize/elf_file.h"
#include "reporter/symbolize/names.h"

namespace umaskaudit::symbolize {
namespace {

constexpr int kMaxNesting = 64;         // namespaces in namespaces
constexpr std::size_t kMaxChain = 256;  // inlined calls and blocks at one address

const char* unit_string(Dwarf_Die* unit, unsigned name) {
  Dwarf_Attribute attribute;
  return dwarf_formstring(dwarf_attr(unit, name, &attribute));
}

// The name of a source file as a debugger shows it: if the compiler was called with a relative name
// (meson and CMake with ninja do that), the name in the debug information is relative to the build
// directory. libdw joins the two only if the line table has no directory for the file.
std::string source_path(const char* name, const std::string& built_in) {
  if (name == nullptr || *name == '\0') return "";
  return (std::filesystem::path(built_in) / name).lexically_normal().string();
}

std::string build_directory(Dwarf_Die* unit) {
  const char* name = unit_string(unit, DW_AT_comp_dir);
  // A relative directory was set by an option such as -ffile-prefix-map, to hide the real one.
  return name != nullptr && *name == '/' ? name : "";
}

// The tree of a unit whose DWARF was split off into a .dwo file. libdw opens that file itself, so
// both names that it tries are checked first.
Dwarf_Die tree_of(Dwarf_Die unit, const std::string& debug_directory) {
  const char* name = unit_string(&unit, DW_AT_dwo_name);
  if (name == nullptr) name = unit_string(&unit, DW_AT_GNU_dwo_name);
  if (name == nullptr) return unit;
  const char* built_in = unit_string(&unit, DW_AT_comp_dir);
  const std::filesystem::path beside = std::filesystem::path(debug_directory) / name;
  const std::filesystem::path there =
      std::filesystem::path(built_in != nullptr ? built_in : "") / name;
  if (!harmless_to_open(beside.string()) || !harmless_to_open(there.string())) return unit;
  Dwarf_Die split{};
  if (dwarf_cu_info(unit.cu, nullptr, nullptr, nullptr, &split, nullptr, nullptr, nullptr) == 0 &&
      split.addr != nullptr) {
    return split;
  }
  return unit;
}

bool may_hold_inlined_calls(int tag) {
  return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block ||
         tag == DW_TAG_try_block || tag == DW_TAG_catch_block || tag == DW_TAG_with_stmt;
}

// Appends the inlined calls within `function` that contain `address`, outermost first. Blocks and
// calls nest, and siblings do not overlap: there is one path down.
void append_inlined(const Dwarf_Die& function, Dwarf_Addr address, std::vector<Dwarf_Die>& chain) {
  Dwarf_Die parent = function;
  Dwarf_Die child;
  for (std::size_t depth = 0; depth < kMaxChain; ++depth) {
    if (dwarf_child(&parent, &child) != 0) return;
    while (!may_hold_inlined_calls(dwarf_tag(&child)) || dwarf_haspc(&child, address) <= 0) {
      if (dwarf_siblingof(&child, &child) != 0) return;
    }
    if (dwarf_tag(&child) == DW_TAG_inlined_subroutine) chain.push_back(child);
    parent = child;
  }
}

}  // namespace

DebugUnit::DebugUnit(const Dwarf_Die& unit, const std::string& debug_directory)
    : lines_(unit), tree_(tree_of(unit, debug_directory)) {
  Dwarf_Attribute attribute;
  Dwarf_Word language = 0;
  if (dwarf_formudata(dwarf_attr(&tree_, DW_AT_language, &attribute), &language) == 0) {
    language_ = language_name(language);
  }
  built_in_ = build_directory(&lines_);
}

void DebugUnit::add_function(Dwarf_Die* die) {
  Dwarf_Addr base = 0;
  Dwarf_Addr low = 0;
  Dwarf_Addr high = 0;
  ptrdiff_t offset = 0;
  while ((offset = dwarf_ranges(die, offset, &base, &low, &high)) > 0) {
    // Address 0: a function that the linker dropped but whose entry it kept.
    if (low != 0 && low < high) functions_.push_back({low, high, *die});
  }
}

void DebugUnit::index_functions(const Dwarf_Die& parent, int depth) {
  Dwarf_Die from = parent;
  Dwarf_Die child;
  if (depth >= kMaxNesting || dwarf_child(&from, &child) != 0) return;
  do {
    switch (dwarf_tag(&child)) {
      case DW_TAG_subprogram:
        add_function(&child);
        break;
      case DW_TAG_namespace:
      case DW_TAG_module:
        index_functions(child, depth + 1);
        break;
      default:
        break;
    }
  } while (dwarf_siblingof(&child, &child) == 0);
}

std::optional<Dwarf_Die> DebugUnit::function_at(Dwarf_Addr address) {
  if (!indexed_) {
    indexed_ = true;
    index_functions(tree_, 0);
    sort_ranges(functions_);
  }
  const auto* found = range_at(functions_, address);
  if (found == nullptr) return std::nullopt;
  return found->value;
}

std::string DebugUnit::file_name(Dwarf_Word index) {
  Dwarf_Files* files = nullptr;
  std::size_t count = 0;
  if (dwarf_getsrcfiles(&lines_, &files, &count) != 0 || index >= count) return "";
  return source_path(dwarf_filesrc(files, index, nullptr, nullptr), built_in_);
}

Location DebugUnit::innermost_place(Dwarf_Addr address) {
  Location place;
  place.language = language_;
  Dwarf_Line* line = dwarf_getsrc_die(&lines_, address);
  if (line == nullptr) return place;
  int number = 0;
  if (dwarf_lineno(line, &number) == 0 && number > 0) {
    place.line = static_cast<std::uint32_t>(number);
  }
  place.file = source_path(dwarf_linesrc(line, nullptr, nullptr), built_in_);
  return place;
}

Places DebugUnit::expand(Dwarf_Addr address) {
  Places places;
  Location place = innermost_place(address);
  const std::optional<Dwarf_Die> function = function_at(address);
  if (!function) {
    if (!place.file.empty()) places.push_back(std::move(place));
    return places;
  }
  std::vector<Dwarf_Die> chain{*function};
  append_inlined(*function, address, chain);
  // Each inlined entry has the position of its call, which is in the function around it.
  while (!chain.empty()) {
    Dwarf_Die die = chain.back();
    chain.pop_back();
    place.symbol = function_name(&die);
    place.inlined = !chain.empty();
    places.push_back(std::move(place));
    if (chain.empty()) break;
    place = Location{};
    place.language = language_;
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    if (dwarf_formudata(dwarf_attr(&die, DW_AT_call_file, &attribute), &value) == 0) {
      place.file = file_name(value);
    }
    if (dwarf_formudata(dwarf_attr(&die, DW_AT_call_line, &attribute), &value) == 0) {
      place.line = static_cast<std::uint32_t>(value);
    }
  }
  return places;
}

}  // namespace umaskaudit::symbolize

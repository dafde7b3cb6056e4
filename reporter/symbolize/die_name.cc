#include "reporter/symbolize/die_name.h"

#include <dwarf.h>

#include <vector>

#include "reporter/symbolize/names.h"

namespace umaskaudit::symbolize {
namespace {

constexpr int kMaxOrigins = 16;  // as libdw's dwarf_attr_integrate
constexpr int kMaxDepth = 16;    // functions with local classes with functions ...
constexpr std::size_t kMaxScopes = 64;

const char* string_attribute(Dwarf_Die* die, unsigned name) {
  Dwarf_Attribute attribute;
  return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

// From an inlined or out-of-line instance to the declaration, whose position in the tree is its
// scope.
Dwarf_Die declaration_of(Dwarf_Die die) {
  for (int i = 0; i < kMaxOrigins; ++i) {
    Dwarf_Attribute attribute;
    Dwarf_Die next;
    if (dwarf_attr(&die, DW_AT_abstract_origin, &attribute) == nullptr &&
        dwarf_attr(&die, DW_AT_specification, &attribute) == nullptr) {
      break;
    }
    if (dwarf_formref_die(&attribute, &next) == nullptr) break;
    die = next;
  }
  return die;
}

bool is_scope(int tag) {
  switch (tag) {
    case DW_TAG_namespace:
    case DW_TAG_module:
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
    case DW_TAG_interface_type:
    case DW_TAG_subprogram:
      return true;
    default:
      return false;
  }
}

// The entries around `target`, outermost first. The children of a DIE are between it and its next
// sibling, and producers that omit linkage names write DW_AT_sibling, so that a level takes one
// step for each child.
std::vector<Dwarf_Die> enclosing(const Dwarf_Die& target) {
  std::vector<Dwarf_Die> path;
  Dwarf_Die unit;
  Dwarf_Die inside = target;
  if (dwarf_diecu(&inside, &unit, nullptr, nullptr) == nullptr) return path;
  Dwarf_Die parent = unit;
  while (path.size() < kMaxScopes) {
    Dwarf_Die child;
    if (dwarf_child(&parent, &child) != 0 || child.addr > target.addr) break;
    for (;;) {
      Dwarf_Die next;
      if (dwarf_siblingof(&child, &next) != 0 || next.addr > target.addr) break;
      child = next;
    }
    if (child.addr == target.addr) break;
    path.push_back(child);
    parent = child;
  }
  return path;
}

std::string scoped_name(Dwarf_Die die, int depth) {
  const char* plain = string_attribute(&die, DW_AT_name);
  std::string name = plain != nullptr ? plain : "";
  const Dwarf_Die declaration = declaration_of(die);
  std::string prefix;
  for (Dwarf_Die& scope : enclosing(declaration)) {
    const int tag = dwarf_tag(&scope);
    if (!is_scope(tag)) continue;
    if (tag == DW_TAG_subprogram) {
      // The declaration's scope: a definition is often outside its class or namespace.
      if (depth < kMaxDepth) prefix = scoped_name(scope, depth + 1) + "::";
      continue;
    }
    const char* part = string_attribute(&scope, DW_AT_name);
    if (part == nullptr) part = tag == DW_TAG_namespace ? "(anonymous namespace)" : "{unnamed}";
    prefix += part;
    prefix += "::";
  }
  return prefix + name;
}

}  // namespace

std::string function_name(Dwarf_Die* die) {
  const char* linkage = string_attribute(die, DW_AT_linkage_name);
  if (linkage == nullptr) linkage = string_attribute(die, DW_AT_MIPS_linkage_name);
  if (linkage != nullptr && is_mangled(linkage)) return demangle(linkage);
  return scoped_name(*die, 0);
}

}  // namespace umaskaudit::symbolize

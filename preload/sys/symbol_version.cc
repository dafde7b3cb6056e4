// Reads an object's relocations and version needs; see symbol_version.h. The loader used the same
// tables, so they are well formed (elf(5), .gnu.version_r); parts that the program made unreadable
// since are skipped.

#include "preload/sys/symbol_version.h"

#include <elf.h>
#include <link.h>

#include "preload/sys/dynamic.h"
#include "preload/sys/loaded_objects.h"

namespace umaskaudit::shim {

namespace {

// The tables of a loaded object that bind symbols.
struct Tables {
  const char* strings = nullptr;
  const ElfW(Sym) * symbols = nullptr;
  const ElfW(Half) * versions = nullptr;  // by symbol
  std::uintptr_t needs = 0;               // first Verneed
  std::uintptr_t relocations[2] = {};     // of the procedure linkage table, and all others
  std::uint64_t sizes[2] = {};
};

Tables read_tables(const LoadedObject& object) {
  Tables tables;
  ReadableTable section;
  for (const ElfW(Dyn)* entry = object.dynamic; section.can_read(entry) && entry->d_tag != DT_NULL;
       ++entry) {
    switch (entry->d_tag) {
      case DT_STRTAB:
        tables.strings = reinterpret_cast<const char*>(address_of(object.bias, *entry));
        break;
      case DT_SYMTAB:
        tables.symbols = reinterpret_cast<const ElfW(Sym)*>(address_of(object.bias, *entry));
        break;
      case DT_VERSYM:
        tables.versions = reinterpret_cast<const ElfW(Half)*>(address_of(object.bias, *entry));
        break;
      case DT_VERNEED:
        tables.needs = address_of(object.bias, *entry);
        break;
      case DT_JMPREL:
        tables.relocations[0] = address_of(object.bias, *entry);
        break;
      case DT_PLTRELSZ:
        tables.sizes[0] = entry->d_un.d_val;
        break;
      case DT_RELA:
        tables.relocations[1] = address_of(object.bias, *entry);
        break;
      case DT_RELASZ:
        tables.sizes[1] = entry->d_un.d_val;
        break;
      default:
        break;
    }
  }
  return tables;
}

// The index that the object gave `version`; 0: it needs no such version.
unsigned number_of(const Tables& tables, const char* version) {
  ReadableTable needs;
  ReadableTable strings;
  std::uintptr_t at = tables.needs;
  while (at != 0) {
    const auto& file = *reinterpret_cast<const ElfW(Verneed)*>(at);
    if (!needs.can_read(&file)) return 0;
    std::uintptr_t entry_at = at + file.vn_aux;
    for (unsigned i = 0; i < file.vn_cnt; ++i) {
      const auto& entry = *reinterpret_cast<const ElfW(Vernaux)*>(entry_at);
      if (!needs.can_read(&entry)) return 0;
      if (strings.is_text(tables.strings + entry.vna_name, version)) {
        return entry.vna_other & 0x7FFFu;
      }
      entry_at += entry.vna_next;
    }
    at = file.vn_next != 0 ? at + file.vn_next : 0;
  }
  return 0;
}

}  // namespace

bool binds_to_version(std::uintptr_t caller, const char* name, const char* version) {
  LoadedObject object;
  if (!find_object(caller - 1, object) || object.dynamic == nullptr) return false;
  const Tables tables = read_tables(object);
  if (tables.strings == nullptr || tables.symbols == nullptr || tables.versions == nullptr) {
    return false;
  }
  const unsigned wanted = number_of(tables, version);
  if (wanted == 0) return false;
  bool bound = false;
  ReadableTable strings;
  ReadableTable symbols;
  ReadableTable versions;
  for (unsigned table = 0; table < 2; ++table) {
    const auto* entry = reinterpret_cast<const ElfW(Rela)*>(tables.relocations[table]);
    ReadableTable relocations;
    for (std::uint64_t i = 0; i < tables.sizes[table] / sizeof *entry; ++i) {
      if (!relocations.can_read(&entry[i])) return false;
      const std::uint64_t symbol = ELF64_R_SYM(entry[i].r_info);
      if (symbol == 0 || !symbols.can_read(&tables.symbols[symbol]) ||
          !versions.can_read(&tables.versions[symbol]) ||
          !strings.is_text(tables.strings + tables.symbols[symbol].st_name, name)) {
        continue;
      }
      if ((tables.versions[symbol] & 0x7FFFu) != wanted) return false;
      bound = true;
    }
  }
  return bound;
}

}  // namespace umaskaudit::shim

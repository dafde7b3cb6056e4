// Reads hash tables and version definitions; see symbol_table.h.

#include "preload/sys/symbol_table.h"

#include <sys/auxv.h>

#include <cstring>

#include "preload/sys/dynamic.h"

namespace umaskaudit::shim {

namespace {

bool has_version(const SymbolTable& table, std::uint32_t symbol, const char* version) {
  constexpr unsigned kHidden = 0x8000;  // not the default
  if (table.versions == nullptr) return version == nullptr;
  const unsigned number = table.versions[symbol];
  if (version == nullptr) return (number & kHidden) == 0;
  std::uintptr_t at = table.definitions;
  while (at != 0) {
    const auto& definition = *reinterpret_cast<const ElfW(Verdef)*>(at);
    if (definition.vd_ndx == (number & ~kHidden)) {
      const auto& name = *reinterpret_cast<const ElfW(Verdaux)*>(at + definition.vd_aux);
      return strcmp(table.strings + name.vda_name, version) == 0;
    }
    at = definition.vd_next != 0 ? at + definition.vd_next : 0;
  }
  return false;
}

// The address, or 0 where this symbol is not the one.
std::uintptr_t address_if(const SymbolTable& table, std::uint32_t index, const char* name,
                          const char* version) {
  const ElfW(Sym)& symbol = table.symbols[index];
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  if (symbol.st_shndx == SHN_UNDEF || symbol.st_value == 0 || type == STT_TLS) return 0;
  if (strcmp(table.strings + symbol.st_name, name) != 0) return 0;
  if (!has_version(table, index, version)) return 0;
  const std::uintptr_t address = table.bias + symbol.st_value;
  if (type != STT_GNU_IFUNC) return address;
  // The loader passes what the processor can do, where the ABI wants that at all.
  return reinterpret_cast<std::uintptr_t (*)(unsigned long)>(address)(getauxval(AT_HWCAP));
}

// Bucket count, first symbol, words of the filter, its shift; filter, buckets, and for each symbol
// its hash, whose lowest bit ends the chain.
std::uintptr_t find_by_gnu_hash(const SymbolTable& table, const char* name, const char* version) {
  const std::uint32_t wanted = gnu_hash_of(name);
  const std::uint32_t* parts = table.gnu_hash;
  const std::uint32_t* buckets = parts + 4 + parts[2] * (sizeof(ElfW(Addr)) / 4);
  const std::uint32_t* chains = buckets + parts[0];
  if (parts[0] == 0) return 0;
  std::uint32_t symbol = buckets[wanted % parts[0]];
  if (symbol < parts[1]) return 0;
  for (;; ++symbol) {
    const std::uint32_t hash = chains[symbol - parts[1]];
    if ((hash | 1) == (wanted | 1)) {
      const std::uintptr_t found = address_if(table, symbol, name, version);
      if (found != 0) return found;
    }
    if ((hash & 1) != 0) return 0;
  }
}

// Bucket count, chain count, which is that of the symbols; they are all looked at.
std::uintptr_t find_by_name(const SymbolTable& table, const char* name, const char* version) {
  for (std::uint32_t symbol = 1; symbol < table.hash[1]; ++symbol) {
    const std::uintptr_t found = address_if(table, symbol, name, version);
    if (found != 0) return found;
  }
  return 0;
}

}  // namespace

SymbolTable read_symbol_table(std::uintptr_t bias, const ElfW(Dyn) * dynamic, Addresses addresses) {
  SymbolTable table;
  table.bias = bias;
  for (const auto* entry = dynamic; entry != nullptr && entry->d_tag != DT_NULL; ++entry) {
    const std::uintptr_t at =
        addresses == Addresses::as_in_file ? bias + entry->d_un.d_ptr : address_of(bias, *entry);
    switch (entry->d_tag) {
      case DT_SYMTAB:
        table.symbols = reinterpret_cast<const ElfW(Sym)*>(at);
        break;
      case DT_STRTAB:
        table.strings = reinterpret_cast<const char*>(at);
        break;
      case DT_GNU_HASH:
        table.gnu_hash = reinterpret_cast<const std::uint32_t*>(at);
        break;
      case DT_HASH:
        table.hash = reinterpret_cast<const std::uint32_t*>(at);
        break;
      case DT_VERSYM:
        table.versions = reinterpret_cast<const ElfW(Half)*>(at);
        break;
      case DT_VERDEF:
        table.definitions = at;
        break;
      default:
        break;
    }
  }
  return table;
}

std::uintptr_t find_symbol_address(const SymbolTable& table, const char* name,
                                   const char* version) {
  if (table.symbols == nullptr || table.strings == nullptr) return 0;
  if (table.gnu_hash != nullptr) return find_by_gnu_hash(table, name, version);
  return table.hash != nullptr ? find_by_name(table, name, version) : 0;
}

}  // namespace umaskaudit::shim

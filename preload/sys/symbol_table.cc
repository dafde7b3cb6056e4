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

// The symbols that dlsym(3) accepts: not local to their object, and with an address.
bool is_definition(const ElfSymbol& symbol) {
  const unsigned binding = ELF64_ST_BIND(symbol.st_info);
  const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  return symbol.st_shndx != SHN_UNDEF && symbol.st_value != 0 &&
         ELF64_ST_TYPE(symbol.st_info) != STT_TLS &&
         (binding == STB_GLOBAL || binding == STB_WEAK || binding == STB_GNU_UNIQUE) &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

bool is_the_one(const SymbolTable& table, std::uint32_t index, const char* name,
                const char* version) {
  const ElfSymbol& symbol = table.symbols[index];
  return is_definition(symbol) && strcmp(table.strings + symbol.st_name, name) == 0 &&
         has_version(table, index, version);
}

// The layout of DT_GNU_HASH: bucket count, first symbol, filter words, filter shift; filter,
// buckets, and for each symbol its hash, whose lowest bit ends the chain.
std::uint32_t find_by_gnu_hash(const SymbolTable& table, std::uint32_t wanted, const char* name,
                               const char* version) {
  using Word = ElfW(Addr);
  constexpr unsigned kBits = sizeof(Word) * 8;
  const std::uint32_t* parts = table.gnu_hash;
  const auto* filter = reinterpret_cast<const Word*>(parts + 4);
  if (parts[0] == 0 || parts[2] == 0) return 0;
  const Word word = filter[wanted / kBits % parts[2]];
  if ((word >> wanted % kBits & word >> (wanted >> parts[3]) % kBits & 1) == 0) return 0;
  const std::uint32_t* buckets = parts + 4 + parts[2] * (sizeof(Word) / 4);
  const std::uint32_t* chains = buckets + parts[0];
  std::uint32_t symbol = buckets[wanted % parts[0]];
  if (symbol < parts[1]) return 0;
  for (;; ++symbol) {
    const std::uint32_t hash = chains[symbol - parts[1]];
    if ((hash | 1) == (wanted | 1) && is_the_one(table, symbol, name, version)) return symbol;
    if ((hash & 1) != 0) return 0;
  }
}

// The System V ABI's, "Hash Table".
std::uint32_t elf_hash_of(const char* name) {
  std::uint32_t hash = 0;
  for (; *name != '\0'; ++name) {
    hash = (hash << 4) + static_cast<unsigned char>(*name);
    hash ^= hash >> 24 & 0xf0;
  }
  return hash & 0x0fffffff;
}

// The layout of DT_HASH: bucket count, chain count, buckets, and for each symbol the next of its
// bucket; 0 ends it.
std::uint32_t find_by_elf_hash(const SymbolTable& table, const char* name, const char* version) {
  const std::uint32_t* parts = table.hash;
  if (parts[0] == 0) return 0;
  const std::uint32_t* chains = parts + 2 + parts[0];
  std::uint32_t symbol = parts[2 + elf_hash_of(name) % parts[0]];
  for (; symbol != 0 && symbol < parts[1]; symbol = chains[symbol]) {
    if (is_the_one(table, symbol, name, version)) return symbol;
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

SymbolTable symbols_of(const dl_phdr_info& object) {
  for (unsigned i = 0; i < object.dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object.dlpi_phdr[i];
    if (segment.p_type != PT_DYNAMIC) continue;
    const auto* dynamic = reinterpret_cast<const ElfW(Dyn)*>(object.dlpi_addr + segment.p_vaddr);
    return read_symbol_table(object.dlpi_addr, dynamic, Addresses::by_loader);
  }
  return {};
}

const ElfSymbol* find_symbol(const SymbolTable& table, const char* name, std::uint32_t hash,
                             const char* version) {
  std::uint32_t index = 0;
  if (table.symbols == nullptr || table.strings == nullptr) return nullptr;
  if (table.gnu_hash != nullptr) {
    index = find_by_gnu_hash(table, hash, name, version);
  } else if (table.hash != nullptr) {
    index = find_by_elf_hash(table, name, version);
  }
  return index != 0 ? &table.symbols[index] : nullptr;
}

std::uintptr_t find_symbol_address(const SymbolTable& table, const char* name,
                                   const char* version) {
  const ElfSymbol* symbol = find_symbol(table, name, gnu_hash_of(name), version);
  if (symbol == nullptr) return 0;
  const std::uintptr_t address = table.bias + symbol->st_value;
  if (!is_chosen_at_run_time(*symbol)) return address;
  // The loader passes the processor's capabilities to the resolver, on ABIs that want them.
  return reinterpret_cast<std::uintptr_t (*)(unsigned long)>(address)(getauxval(AT_HWCAP));
}

namespace {

struct Search {
  const char* name;
  std::uintptr_t found;
};

int search_loaded(dl_phdr_info* object, std::size_t, void* given) {
  auto& search = *static_cast<Search*>(given);
  search.found = find_symbol_address(symbols_of(*object), search.name);
  return search.found != 0 ? 1 : 0;
}

}  // namespace

void* find_in_loaded(const char* name) {
  Search search{name, 0};
  dl_iterate_phdr(search_loaded, &search);
  return reinterpret_cast<void*>(search.found);
}

}  // namespace umaskaudit::shim

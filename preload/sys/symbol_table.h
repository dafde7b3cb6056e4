// SymbolTable: the symbols that an object defines (elf(5)), found without the loader: no lock, no
// memory.
// Must never be used on an object that may be unloaded meanwhile.
#pragma once

#include <link.h>

#include <cstdint>

namespace umaskaudit::shim {

struct SymbolTable {
  std::uintptr_t bias = 0;
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  const std::uint32_t* gnu_hash = nullptr;
  const std::uint32_t* hash = nullptr;    // the System V table
  const ElfW(Half) * versions = nullptr;  // by symbol; null: no versions
  std::uintptr_t definitions = 0;         // first Verdef
};

// Whether the addresses in the dynamic section have been relocated in memory.
enum class Addresses : std::uint8_t { by_loader, as_in_file };

SymbolTable read_symbol_table(std::uintptr_t bias, const ElfW(Dyn) * dynamic, Addresses addresses);
// Of an object of dl_iterate_phdr(3).
SymbolTable symbols_of(const dl_phdr_info& object);

// The definition of `name` that dlsym(3) would take from this object; null: none. `hash`: its
// gnu_hash_of(). `version` null: the default version.
using ElfSymbol = ElfW(Sym);
const ElfSymbol* find_symbol(const SymbolTable& table, const char* name, std::uint32_t hash,
                             const char* version = nullptr);

// An IFUNC: its address is a function that returns the address.
inline bool is_chosen_at_run_time(const ElfSymbol& symbol) {
  return ELF64_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC;
}

// The first definition of `name` in all that is loaded, in the loader's order; null: none. Takes
// the loader's lock like dlsym(3).
void* find_in_loaded(const char* name);

// The address of the definition of `name`; 0: none. `version` null: the default version.
std::uintptr_t find_symbol_address(const SymbolTable& table, const char* name,
                                   const char* version = nullptr);

}  // namespace umaskaudit::shim

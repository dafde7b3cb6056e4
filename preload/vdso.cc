// Looks a symbol up in the vDSO, a small ELF object without anything to relocate; see vdso.h.

#include "preload/vdso.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <cstdint>
#include <cstring>

namespace umaskaudit::shim {

namespace {

#if defined(__x86_64__)
constexpr char kName[] = "__vdso_clock_gettime";
#else
constexpr char kName[] = "__kernel_clock_gettime";
#endif

struct Object {
  std::uintptr_t bias = 0;
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  const std::uint32_t* hash = nullptr;
};

Object read_object(std::uintptr_t base) {
  const auto& header = *reinterpret_cast<const ElfW(Ehdr)*>(base);
  const auto* segment = reinterpret_cast<const ElfW(Phdr)*>(base + header.e_phoff);
  const ElfW(Dyn)* entry = nullptr;
  Object object;
  for (unsigned i = 0; i < header.e_phnum; ++i, ++segment) {
    if (segment->p_type == PT_LOAD) object.bias = base + segment->p_offset - segment->p_vaddr;
    if (segment->p_type == PT_DYNAMIC) {
      entry = reinterpret_cast<const ElfW(Dyn)*>(base + segment->p_offset);
    }
  }
  for (; entry != nullptr && entry->d_tag != DT_NULL; ++entry) {
    const std::uintptr_t at = object.bias + entry->d_un.d_ptr;
    if (entry->d_tag == DT_SYMTAB) object.symbols = reinterpret_cast<const ElfW(Sym)*>(at);
    if (entry->d_tag == DT_STRTAB) object.strings = reinterpret_cast<const char*>(at);
    if (entry->d_tag == DT_GNU_HASH) object.hash = reinterpret_cast<const std::uint32_t*>(at);
  }
  return object;
}

// The GNU hash table: bucket count, first symbol, words of the filter, its shift; filter, buckets,
// and for each symbol its hash, whose lowest bit ends the chain.
std::uintptr_t find(const Object& object) {
  std::uint32_t wanted = 5381;
  for (const char* c = kName; *c != '\0'; ++c)
    wanted = wanted * 33 + static_cast<unsigned char>(*c);
  const std::uint32_t* buckets = object.hash + 4 + object.hash[2] * (sizeof(ElfW(Addr)) / 4);
  const std::uint32_t* chains = buckets + object.hash[0];
  std::uint32_t symbol = buckets[wanted % object.hash[0]];
  if (symbol < object.hash[1]) return 0;
  for (;; ++symbol) {
    const std::uint32_t hash = chains[symbol - object.hash[1]];
    if ((hash | 1) == (wanted | 1) &&
        strcmp(object.strings + object.symbols[symbol].st_name, kName) == 0) {
      return object.bias + object.symbols[symbol].st_value;
    }
    if ((hash & 1) != 0) return 0;
  }
}

}  // namespace

ClockGettime vdso_clock() {
  const std::uintptr_t base = getauxval(AT_SYSINFO_EHDR);
  if (base == 0) return nullptr;
  const Object object = read_object(base);
  if (object.symbols == nullptr || object.strings == nullptr || object.hash == nullptr) {
    return nullptr;
  }
  return reinterpret_cast<ClockGettime>(find(object));
}

}  // namespace umaskaudit::shim

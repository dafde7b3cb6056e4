// Walks the loader's list to the symbol tables of the objects behind ours; see before_relocation.h.
// Bytes are read as volatile, or the compiler would turn a loop into a call of strlen(3), which is
// not relocated yet.

#include "preload/sys/before_relocation.h"

#include <elf.h>
#include <link.h>

#include "preload/sys/dynamic.h"
#include "preload/sys/sys.h"

// This library's ELF header, a symbol of the linker: the load address.
extern "C" __attribute__((visibility("hidden"))) const char __ehdr_start;  // NOLINT: its name

namespace umaskaudit::shim {

namespace {

using Bytes = const volatile char*;

// Holds its own address once the loader has relocated us.
const void* const volatile self = const_cast<const void*>(static_cast<const volatile void*>(&self));

Bytes name_of(Call call) {
  Bytes name = kCallNames;
  for (auto skip = static_cast<unsigned>(call); skip > 0; --skip) {
    while (*name != '\0') ++name;
    ++name;
  }
  return name;
}

bool is_same(Bytes a, Bytes b) {
  for (; *a == *b; ++a, ++b) {
    if (*a == '\0') return true;
  }
  return false;
}

// The auxiliary vector (getauxval(3)), by prctl(2) or, before Linux 6.4, proc(5). The descriptor
// for that is opened in the program's own table, which nothing else can see: while the loader
// relocates, before the first constructor, the process has one thread.
std::uintptr_t auxiliary(unsigned long type) {
  constexpr int kGetAuxv = 0x41555856;  // PR_GET_AUXV
  ElfW(auxv_t) entries[64];
  long size = sys::call(SYS_prctl, kGetAuxv, sys::arg(entries), sizeof entries);
  if (size <= 0) {
    constexpr char kPath[] = "/proc/self/auxv";
    size = sys::read_file(kPath, entries, sizeof entries);
  }
  const auto count = size <= 0 ? 0 : static_cast<unsigned long>(size) / sizeof entries[0];
  for (unsigned i = 0; i < count && i < 64; ++i) {
    if (entries[i].a_type == type) return entries[i].a_un.a_val;
  }
  return 0;
}

// The main program's dynamic section has the loader's list (elf(5), DT_DEBUG).
const link_map* loaded_objects() {
  const auto* segments = reinterpret_cast<const ElfW(Phdr)*>(auxiliary(AT_PHDR));
  const std::uintptr_t count = auxiliary(AT_PHNUM);
  if (segments == nullptr) return nullptr;
  std::uintptr_t bias = 0;
  std::uintptr_t dynamic = 0;
  for (std::uintptr_t i = 0; i < count; ++i) {
    if (segments[i].p_type == PT_PHDR) {
      bias = reinterpret_cast<std::uintptr_t>(segments) - segments[i].p_vaddr;
    }
    if (segments[i].p_type == PT_DYNAMIC) dynamic = segments[i].p_vaddr;
  }
  if (dynamic == 0) return nullptr;
  const auto* entry = reinterpret_cast<const ElfW(Dyn)*>(bias + dynamic);
  for (; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag != DT_DEBUG || entry->d_un.d_ptr == 0) continue;
    return reinterpret_cast<const r_debug*>(entry->d_un.d_ptr)->r_map;
  }
  return nullptr;
}

struct Parts {
  const ElfW(Sym) * symbols = nullptr;
  const char* strings = nullptr;
  const ElfW(Half) * versions = nullptr;
  const std::uint32_t* hash = nullptr;  // DT_GNU_HASH
};

Parts read_parts(const link_map& object) {
  Parts parts;
  for (const ElfW(Dyn)* entry = object.l_ld; entry->d_tag != DT_NULL; ++entry) {
    const std::uintptr_t at = address_of(object.l_addr, *entry);
    if (entry->d_tag == DT_SYMTAB) parts.symbols = reinterpret_cast<const ElfW(Sym)*>(at);
    if (entry->d_tag == DT_STRTAB) parts.strings = reinterpret_cast<const char*>(at);
    if (entry->d_tag == DT_VERSYM) parts.versions = reinterpret_cast<const ElfW(Half)*>(at);
    if (entry->d_tag == DT_GNU_HASH) parts.hash = reinterpret_cast<const std::uint32_t*>(at);
  }
  return parts;
}

// As find_symbol_address() for the default version, without libc.
std::uintptr_t find_in(const link_map& object, Bytes name) {
  constexpr unsigned kHidden = 0x8000;
  const Parts parts = read_parts(object);
  if (parts.symbols == nullptr || parts.strings == nullptr || parts.hash == nullptr) return 0;
  std::uint32_t wanted = 5381;
  for (Bytes c = name; *c != '\0'; ++c) wanted = wanted * 33 + static_cast<unsigned char>(*c);
  const std::uint32_t* head = parts.hash;
  if (head[0] == 0) return 0;
  const std::uint32_t* buckets = head + 4 + head[2] * (sizeof(ElfW(Addr)) / 4);
  std::uint32_t index = buckets[wanted % head[0]];
  for (bool last = index < head[1]; !last; ++index) {
    const std::uint32_t hash = buckets[head[0] + index - head[1]];
    last = (hash & 1) != 0;
    const ElfW(Sym)& symbol = parts.symbols[index];
    if ((hash | 1) != (wanted | 1) || symbol.st_shndx == SHN_UNDEF) continue;
    if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
    if (parts.versions != nullptr && (parts.versions[index] & kHidden) != 0) continue;
    if (is_same(parts.strings + symbol.st_name, name)) return object.l_addr + symbol.st_value;
  }
  return 0;
}

}  // namespace

bool is_relocated() {
  return self == const_cast<const void*>(static_cast<const volatile void*>(&self));
}

void* find_before_relocation(Call call) {
  const Bytes name = name_of(call);
  bool behind_us = false;
  for (const link_map* object = loaded_objects(); object != nullptr; object = object->l_next) {
    const std::uintptr_t found = behind_us ? find_in(*object, name) : 0;
    if (found != 0) return reinterpret_cast<void*>(found);
    behind_us = behind_us || object->l_addr == reinterpret_cast<std::uintptr_t>(&__ehdr_start);
  }
  return nullptr;
}

}  // namespace umaskaudit::shim

// Looks a symbol up in the vDSO, a small ELF object without anything to relocate; see vdso.h.

#include "preload/sys/vdso.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <cstdint>

#include "preload/sys/symbol_table.h"

namespace umaskaudit::shim {

namespace {

#if defined(__x86_64__)
constexpr char kName[] = "__vdso_clock_gettime";
#else
constexpr char kName[] = "__kernel_clock_gettime";
#endif

// The vDSO's load bias: its tables are never relocated in memory.
SymbolTable read_vdso(std::uintptr_t base) {
  const auto& header = *reinterpret_cast<const ElfW(Ehdr)*>(base);
  const auto* segment = reinterpret_cast<const ElfW(Phdr)*>(base + header.e_phoff);
  const ElfW(Dyn)* dynamic = nullptr;
  std::uintptr_t bias = 0;
  for (unsigned i = 0; i < header.e_phnum; ++i, ++segment) {
    if (segment->p_type == PT_LOAD) bias = base + segment->p_offset - segment->p_vaddr;
    if (segment->p_type == PT_DYNAMIC) {
      dynamic = reinterpret_cast<const ElfW(Dyn)*>(base + segment->p_offset);
    }
  }
  return read_symbol_table(bias, dynamic, Addresses::as_in_file);
}

}  // namespace

ClockGettime vdso_clock() {
  const std::uintptr_t base = getauxval(AT_SYSINFO_EHDR);
  if (base == 0) return nullptr;
  return reinterpret_cast<ClockGettime>(find_symbol_address(read_vdso(base), kName));
}

}  // namespace umaskaudit::shim

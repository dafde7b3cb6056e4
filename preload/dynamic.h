// The dynamic section of an object that is loaded (elf(5)).
// Must never be asked about an object that may be unloaded meanwhile: the caller has a frame in it.
// Called by what looks at the tables of loaded objects.
#pragma once

#include <link.h>

#include <cstdint>

namespace umaskaudit::shim {

// The loader has made addresses of most entries, but not where they are in read-only memory.
inline std::uintptr_t address_of(const link_map& object, const ElfW(Dyn) & entry) {
  const std::uintptr_t value = entry.d_un.d_ptr;
  return value < object.l_addr ? value + object.l_addr : value;
}

}  // namespace umaskaudit::shim

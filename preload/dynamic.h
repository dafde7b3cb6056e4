// The dynamic section of an object that is loaded (elf(5)).
// Must never be asked about an object that may be unloaded meanwhile: the caller has a frame in it.
// Called by what looks at the tables of loaded objects.
#pragma once

#include <link.h>

#include <cstdint>

namespace umaskaudit::shim {

// glibc has made addresses of most entries, but not where they are in read-only memory; musl makes
// none. `bias`: where the object lies, less where its file says that it does.
inline std::uintptr_t address_of(std::uintptr_t bias, const ElfW(Dyn) & entry) {
  const std::uintptr_t value = entry.d_un.d_ptr;
  return value < bias ? value + bias : value;
}

}  // namespace umaskaudit::shim

// Reads words of the stack only where there is memory.
#pragma once

#include <cstdint>

#include "preload/sys.h"

namespace umaskaudit::shim {

// One system call for each page that is new to this walk; most walks stay within two pages.
class StackMemory {
 public:
  // `sp` is in use, so its page is there.
  explicit StackMemory(std::uintptr_t sp) : page_(sp & ~kPageMask) {}

  bool read(std::uintptr_t address, std::uintptr_t& out) {
    if ((address & 7) != 0) return false;
    if ((address & ~kPageMask) != page_) {
      if (address < kPageMask || !sys::readable(reinterpret_cast<void*>(address))) return false;
      page_ = address & ~kPageMask;
    }
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): page 0 was refused above
    out = *reinterpret_cast<const std::uintptr_t*>(address);
    return true;
  }

 private:
  static constexpr std::uintptr_t kPageMask = 4095;
  std::uintptr_t page_;
};

}  // namespace umaskaudit::shim

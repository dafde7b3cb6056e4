// The dynamic section of an object that is loaded (elf(5)).
// Must never be asked about an object that may be unloaded meanwhile: the caller has a frame in it.
// Called by what looks at the tables of loaded objects.
#pragma once

#include <link.h>

#include <cstddef>
#include <cstdint>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

// The address of an entry. glibc relocates most entries in memory, except in read-only sections;
// musl relocates none. `bias`: load address less the address in the file.
inline std::uintptr_t address_of(std::uintptr_t bias, const ElfW(Dyn) & entry) {
  const std::uintptr_t value = entry.d_un.d_ptr;
  return value < bias ? value + bias : value;
}

// The hash of a symbol's name that DT_GNU_HASH uses.
constexpr std::uint32_t gnu_hash_of(const char* name) {
  std::uint32_t hash = 5381;
  for (; *name != '\0'; ++name) hash = hash * 33 + static_cast<unsigned char>(*name);
  return hash;
}

// Reads one table of an object whose pages the program may have made unreadable. Each page is
// tested once as long as reads stay near each other. Where a seccomp filter bars the test, the page
// counts as readable.
class ReadableTable {
 public:
  bool can_read(const void* from, std::size_t size) {
    constexpr std::uintptr_t kPage = 4096;
    const auto at = reinterpret_cast<std::uintptr_t>(from);
    const std::uintptr_t end = at + size;
    if (at >= begin_ && end <= end_) return true;
    if (end < at) return false;
    if (at < begin_ || at > end_ || end_ == 0) begin_ = end_ = at & ~(kPage - 1);
    for (; end_ < end; end_ += kPage) {
      if (!is_readable(end_)) return false;
    }
    return true;
  }

  template <typename T>
  bool can_read(const T* object) {
    return can_read(object, sizeof *object);
  }

  // Whether the string at `text` is `other`.
  bool is_text(const char* text, const char* other) {
    for (;; ++text, ++other) {
      if (!can_read(text, 1) || *text != *other) return false;
      if (*other == '\0') return true;
    }
  }

 private:
  static bool is_readable(std::uintptr_t page) {
    if (page == 0) return false;
    if (sys::is_barred(SYS_rt_sigprocmask)) return true;
    return sys::readable(reinterpret_cast<const void*>(page));
  }

  std::uintptr_t begin_ = 0;
  std::uintptr_t end_ = 0;
};

}  // namespace umaskaudit::shim

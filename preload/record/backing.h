// Reserves disk space for pages of a mapped file before a store, so that no store raises SIGBUS.
// Must never store to a page without space. Called by the files here that map or write.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

inline constexpr std::uint64_t kPage = 4096;

// The type of filesystem of an open file or directory (statfs(2), f_type); 0: not known.
unsigned long filesystem_of(int fd);

// For an empty file before it is mapped: on a copy-on-write filesystem, asks for writing in place,
// where that is supported.
void write_in_place(int fd, unsigned long filesystem);

// Reserves memory and disk space for a page, or a range of whole pages; false where there is none.
bool back_page(void* page);
bool populate(void* at, std::uint64_t size);
// The same, for the first bytes of a new file; 0 or an error number.
int populate_first(void* at, std::uint64_t size);

// Whether a store to these bytes is safe now: always, except on a copy-on-write filesystem.
extern bool copies_on_write;
bool stays_backed(const void* at, std::uint64_t size);
inline bool is_backed(const void* at, std::uint64_t size) {
  return __builtin_expect(!copies_on_write, 1) || stays_backed(at, size);
}

}  // namespace umaskaudit::shim

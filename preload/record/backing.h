// Memory of a mapped file that a store cannot turn into a SIGBUS: space on the disk is there first.
// Must never store to a page that has none. Called by chunks.cc, and by all here that map or write.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

inline constexpr std::uint64_t kPage = 4096;

// What an open file or directory lies on (statfs(2), f_type); 0: not known.
unsigned long filesystem_of(int fd);

// For the file `fd` on such a filesystem, which is empty, before anything is mapped: on one that
// copies on write it is written in place where that can be had.
void write_in_place(int fd, unsigned long filesystem);

// Gives a page, or a range of whole ones, memory and space on the disk; false where there is none.
bool back_page(void* page);
bool populate(void* at, std::uint64_t size);
// The same, for the first bytes of a new file; 0 or an error number.
int populate_first(void* at, std::uint64_t size);

// Whether a store to these bytes is safe now: always, but for a copy-on-write filesystem.
extern bool copies_on_write;
bool stays_backed(const void* at, std::uint64_t size);
inline bool is_backed(const void* at, std::uint64_t size) {
  return __builtin_expect(!copies_on_write, 1) || stays_backed(at, size);
}

}  // namespace umaskaudit::shim

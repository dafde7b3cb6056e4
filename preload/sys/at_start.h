// Where variables lie that each start writes to, and the texts that it keeps.
// A page that is touched for the first time costs as much as a dozen system calls: `start_pages.ld`
// lays these variables beside each other, in the order of the names below.
#pragma once

#include <cstddef>

// words: what is small; contexts: the first of many.
#define UMASKAUDIT_AT_START(place) [[gnu::section(".bss.start." #place)]]

namespace umaskaudit::shim {

// A copy of `length` bytes and a NUL, for good; null: there is no room left. By the thread that
// starts the shim alone.
char* keep_text(const char* bytes, std::size_t length);
// The same, for `length` bytes that the caller writes.
char* room_for_text(std::size_t length);

}  // namespace umaskaudit::shim

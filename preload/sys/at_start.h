// Sections for variables that each start writes to, and memory for the texts that it keeps.
// The first write to a page costs as much as a dozen system calls: `start_pages.ld` places these
// variables beside each other, in the order of the names below.
#pragma once

#include <cstddef>

// words: small variables; contexts: the first entry of the table.
#define UMASKAUDIT_AT_START(place) [[gnu::section(".bss.start." #place)]]

namespace umaskaudit::shim {

// Copies `length` bytes and a NUL into memory that is never freed; null: no room is left. Only for
// the thread that starts the shim.
char* keep_text(const char* bytes, std::size_t length);
// Reserves `length` bytes and a NUL, which the caller writes.
char* room_for_text(std::size_t length);

}  // namespace umaskaudit::shim

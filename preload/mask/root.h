// The program's root directory after chroot(2): the name that it has outside, for the paths inside.
// Must never guess: where that name cannot be found, paths are recorded as the program sees them.
#pragma once

#include <cstdint>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

// The name of an open file as the kernel has it now, NUL-terminated; its length, or 0: unknown, or
// longer than `size` - 1 (proc(5), /proc/PID/fd).
std::uint32_t name_of_open_file(int fd, char* out, std::uint32_t size);

// Finds the name that `path` has from outside, before chroot(2) makes that impossible. 0: unknown.
std::uint32_t name_new_root(const char* path, char* out, std::uint32_t size);
// After chroot(2) has succeeded.
void move_root(const char* name, std::uint32_t length);

// After a chroot(2) to a directory whose name is not known.
void lose_root();

// The name of the root directory outside; empty: not known, or never changed.
std::uint32_t root_length();
void put_root(TextBuffer& text);

}  // namespace umaskaudit::shim

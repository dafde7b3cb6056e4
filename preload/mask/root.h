// The root directory that the program moved to: paths inside it mean others outside.
// Must never guess: where the new root's name cannot be found, paths stay as the program sees them.
// Called by the chroot wrapper, and wherever a base path is interned.
#pragma once

#include <cstdint>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

// The name of an open file as the kernel has it now, NUL-terminated; its length, or 0: unknown, or
// longer than `size` - 1 (proc(5), /proc/PID/fd).
std::uint32_t name_of_open_file(int fd, char* out, std::uint32_t size);

// Finds the name that `path` has from outside, before chroot(2) makes that impossible. 0: unknown.
std::uint32_t name_new_root(const char* path, char* out, std::uint32_t size);
// After it succeeded.
void move_root(const char* name, std::uint32_t length);

// It moved to where no name of it is known.
void lose_root();

// The outside name of the present root; empty: none, or it was never moved.
std::uint32_t root_length();
void put_root(TextBuffer& text);

}  // namespace umaskaudit::shim

// Tells a Go program by its own mark: its run time makes system calls past libc.
// Must never open the file: it may be gone, and a descriptor could be seen. Called once, at start.
#pragma once

#include "preload/record/recorder.h"

namespace umaskaudit::shim {

// Records the blind spot when the main program has Go's build id among its notes (elf(5)).
void look_for_go_at_start(const Author& author, std::uint32_t context);

}  // namespace umaskaudit::shim

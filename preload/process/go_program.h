// Tells a Go program by its own mark: its run time makes system calls past libc.
// Must never open the file: it may be gone, and a descriptor could be seen. Called once, at start.
#pragma once

#include "preload/process/hand_over.h"
#include "preload/record/recorder.h"

namespace umaskaudit::shim {

// Whether the main program has Go's build id among its notes (elf(5)).
bool is_go_program();

// Records the blind spot of one that the tracer did not take.
void look_for_go_at_start(const Author& author, std::uint32_t context, HandOver hand_over);

}  // namespace umaskaudit::shim

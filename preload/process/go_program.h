// Recognises a Go program: its run time makes system calls without libc.
// Must never open the file, which may be deleted, and whose descriptor could be seen. Called once,
// at the start.
#pragma once

#include "preload/process/hand_over.h"
#include "preload/record/recorder.h"

namespace umaskaudit::shim {

// Whether the main program has Go's build id among its notes (elf(5)).
bool is_go_program();

// Records the blind spot for a Go program that is not traced.
void look_for_go_at_start(const Author& author, std::uint32_t context, HandOver hand_over);

}  // namespace umaskaudit::shim

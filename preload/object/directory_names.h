// The names of the directories that descriptors are open on, read from the kernel at most every 20
// us.
// Must never rely on the descriptor's number alone, which may be another directory's by now.
// Async-signal-safe, never waits.
#pragma once

#include <cstdint>

#include "preload/record/recorder.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

// The path id of the name of directory `fd`; 0: none. Reading the name (proc(5)) takes four times
// as long as the descriptor's identity (fstat(2)), so it is cached, until this process renames
// anything or for 20 us. Another process takes longer than that to rename the directory and to make
// this one depend on it; without such an order there is no right answer.
std::uint32_t directory_name_id(const Author& author, int fd, const Scratch& buffer);

// This process renamed something, or changed its root.
void forget_directory_names();

}  // namespace umaskaudit::shim

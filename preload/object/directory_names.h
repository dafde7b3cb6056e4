// The names of directories that descriptors lead to, asked from the kernel at most every 20 us.
// Must never go by the descriptor's number alone: it may be another directory's by now.
// Called by parent.cc; async-signal-safe, never waits.
#pragma once

#include <cstdint>

#include "preload/record/recorder.h"
#include "preload/sys/scratch.h"

namespace umaskaudit::shim {

// The path id of the name that directory `fd` has; 0: none. Reading the name (proc(5)) costs four
// times as much as the descriptor's identity (fstat(2)), so the name is kept: until this process
// renames anything, or 20 us are over. Another process that renames the directory and tells this
// one takes longer; one that tells nobody is in a race that has no right answer.
std::uint32_t directory_name_id(const Author& author, int fd, const Scratch& buffer);

// Something was renamed, or the root moved.
void forget_directory_names();

}  // namespace umaskaudit::shim

// Detects that a program uses liburing, whose system calls are instructions of its own that no
// wrapper sees.
// Must never take the loader's lock, nor follow its list, which other threads may change: an object
// that needs liburing is detected when it is first in a stack. Called at the start, for each object
// that gets a record, and before dlopen(3).
#pragma once

#include <link.h>

#include <cstddef>

#include "preload/record/recorder.h"

namespace umaskaudit::shim {

// Each records one blind spot, once a process. The first tests the main program, during the start,
// before anything else is recorded.
void probe_liburing_at_start(const Author& author, std::uint32_t context);
inline constexpr std::size_t kLiburingRoom = 256;  // bytes of `room`
void probe_liburing(std::uintptr_t bias, const ElfW(Dyn) * dynamic, char* room);
// `file`: the argument of dlopen(3), or null.
void probe_liburing(const char* file);

}  // namespace umaskaudit::shim

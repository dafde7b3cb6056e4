// Says that a program has liburing: its system calls are instructions of its own, nobody sees them.
// Must never take the loader's lock, nor follow its list, which other threads may change: an object
// that asks for the library is noticed when it is first seen. Called at the start, for each object
// that comes into a stack, and before dlopen(3).
#pragma once

#include <link.h>

#include <cstddef>

#include "preload/record/recorder.h"

namespace umaskaudit::shim {

// Each reports one blind spot, if none of them has done so in this process. The first: the main
// program, as part of whose start nothing else is reported yet.
void probe_liburing_at_start(const Author& author, std::uint32_t context);
inline constexpr std::size_t kLiburingRoom = 256;  // bytes of `room`
void probe_liburing(std::uintptr_t bias, const ElfW(Dyn) * dynamic, char* room);
// `file`: as passed to dlopen(3), which reads it next, or null.
void probe_liburing(const char* file);

}  // namespace umaskaudit::shim

// Identifies this process beyond its pid, which other PID name spaces and later processes use
// again: by the name space, and by when the process began, which exec keeps. Called when an image
// starts, and in forked children.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// The inode number of this process's PID name space (pid_namespaces(7)); 0: there is no /proc. The
// kernel creates two entries of /proc for it in each process, which is too slow for every fork.
std::uint32_t read_pid_namespace();

// How long the process has lived, across execs, in milliseconds, rounded up; up to 10 ms too long,
// because the kernel reports the start in clock ticks. trace::kAgeUnknown: not reported, or more
// than 49 days. Opens /proc/self/stat where no other thread can see the descriptor.
std::uint32_t read_process_age();

}  // namespace umaskaudit::shim

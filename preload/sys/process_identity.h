// Which process this is, beyond a number that other PID name spaces use too and that later
// processes use again: the name space, and when the process began, which exec keeps.
// Called when an image starts, and in forked children.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// The inode number of this process's PID name space (pid_namespaces(7)); 0: no /proc to ask.
// Two directory entries of /proc that are new in each process: not for the path of each fork.
std::uint32_t read_pid_namespace();

// How long the process has lived, exec or not, in milliseconds, rounded up, and up to 10 ms more
// than the truth: the kernel tells the beginning in clock ticks. trace::kAgeUnknown: it does not
// tell, or longer than 49 days. Opens /proc/self/stat where no other thread can
// see the descriptor.
std::uint32_t read_process_age();

}  // namespace umaskaudit::shim

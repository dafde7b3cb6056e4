// Reads files below /proc/PID completely.
// Must never be used for an endless one. Unreadable files are empty.
#pragma once

#include <sys/types.h>

#include <string>

namespace umaskaudit::tracer {

// "/proc/TID/ENTRY"
std::string proc_name(pid_t tid, const char* entry);
std::string read_proc(pid_t tid, const char* entry);

}  // namespace umaskaudit::tracer

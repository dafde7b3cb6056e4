// Files below /proc/PID, read whole.
// Must never be asked for one that does not end. What cannot be read is empty.
#pragma once

#include <sys/types.h>

#include <string>

namespace umaskaudit::tracer {

// "/proc/TID/ENTRY"
std::string proc_name(pid_t tid, const char* entry);
std::string read_proc(pid_t tid, const char* entry);

}  // namespace umaskaudit::tracer

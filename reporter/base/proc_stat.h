// Reads /proc/PID/stat, proc(5).
#pragma once

#include <string>
#include <vector>

namespace umaskaudit {

// The fields of /proc/PROCESS/stat behind the process's name: field N of proc(5) is at N - 3, from
// `state` (3) on. `process` is a pid or "self". Empty: no such process, or no /proc.
std::vector<std::string> stat_fields(const std::string& process);

}  // namespace umaskaudit

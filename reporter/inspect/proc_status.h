// Reads a process's mask and name from /proc.
// Must never read a mask by writing it: umask(2) has no other way, /proc has (Linux 4.7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace umaskaudit::inspect {

// The field Umask of /proc/PROCESS/status; `process` is a pid or "self". Nothing when there is no
// such process, no /proc, or the process is a zombie (it has no fs context any more).
std::optional<std::uint32_t> umask_of_process(const std::string& process);

// Its short name (proc(5), comm); empty when there is no such process.
std::string name_of_process(const std::string& process);

// When it was started, in nanoseconds of CLOCK_REALTIME, to a clock tick (proc(5), starttime);
// nothing when there is no such process, or no /proc.
std::optional<std::uint64_t> start_of_process(const std::string& process);

}  // namespace umaskaudit::inspect

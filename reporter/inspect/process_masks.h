// The masks of running processes, from /proc.
// Must never attach to a process; names are escaped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/mode/calculus.h"
#include "reporter/text/style.h"

namespace umaskaudit::inspect {

struct ProcessMask {
  std::uint32_t pid = 0;
  Mode mask = 0;
  std::string name;  // raw bytes of comm
};

// `pid` in decimal. Error: no number, no such process, or no mask in its status (a zombie, or a
// kernel before 4.7).
Result<ProcessMask> read_process(const std::string& pid);

// All readable ones, by pid. Includes kernel threads, which have a mask too.
std::vector<ProcessMask> read_processes();

// A table of pid, mask, what it allows, command; at most `width` columns (0: no limit).
std::string masks_text(const std::vector<ProcessMask>& processes, Paint paint, std::size_t width);

// Both processes, and what only one of them allows.
std::string difference_text(const ProcessMask& first, const ProcessMask& second, Paint paint);

}  // namespace umaskaudit::inspect

// Which events a report is about.
// Must never drop a blind spot or a loss: what could not be seen is part of every answer.
// Filled from the command line, asked for each event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/model/events.h"

namespace umaskaudit {

// Empty members select everything; within one member any match suffices. An event that has no such
// property (a mask change has no path) is not selected when that member is set.
struct Filter {
  std::vector<std::string> paths;  // globs, fnmatch(3); '*' matches '/' too
  std::vector<std::uint32_t> pids;
  std::vector<std::uint32_t> tids;
  std::vector<std::string> threads;  // globs over thread names
  std::vector<std::string> calls;
  std::vector<std::string> kinds;  // "file", "dir", ...
  std::uint64_t since_ns = 0;      // CLOCK_MONOTONIC; earlier events are left out

  bool selects(const Event& event) const;
  bool empty() const;
};

// "1.5s", "200ms", "3m", "2" (seconds) as nanoseconds.
Result<std::uint64_t> parse_duration(const std::string& text);

}  // namespace umaskaudit

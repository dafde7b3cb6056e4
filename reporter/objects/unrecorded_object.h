// UnrecordedObject: an object that was found on disk after a run, that appeared during it, and that
// no record names: a process that could not be recorded made it. Must never be given a creator:
// nothing is known of the call that made it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reporter/events/events.h"

namespace umaskaudit {

struct UnrecordedObject {
  std::string path;
  trace::Kind kind = trace::Kind::unknown;
  Mode mode = 0;
  std::uint32_t uid = 0, gid = 0;
  std::uint64_t time_ns = 0;       // of its birth, in the clock of events
  std::uint64_t dev = 0, ino = 0;  // 0: not known (a pack of an older version)
  // Its other names: hard links.
  std::vector<std::string> more_names{};
};

}  // namespace umaskaudit

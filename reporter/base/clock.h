// Clocks in nanoseconds, as traces have them.
#pragma once

#include <cstdint>
#include <ctime>

namespace umaskaudit {

// clock_gettime(2) of a clock that every kernel has.
inline std::uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace umaskaudit

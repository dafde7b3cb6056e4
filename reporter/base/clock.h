// Times in nanoseconds, as in traces.
#pragma once

#include <cstdint>
#include <ctime>

namespace umaskaudit {

// `time` must not be before 1970.
inline std::uint64_t to_ns(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// clock_gettime(2) for a clock that every kernel has.
inline std::uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now{};
  clock_gettime(clock, &now);
  return to_ns(now);
}

}  // namespace umaskaudit

// Clocks in nanoseconds, as traces have them.
#pragma once

#include <cstdint>
#include <ctime>

namespace umaskaudit {

// Of a time that is not before 1970.
inline std::uint64_t to_ns(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

// clock_gettime(2) of a clock that every kernel has.
inline std::uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  timespec now{};
  clock_gettime(clock, &now);
  return to_ns(now);
}

}  // namespace umaskaudit

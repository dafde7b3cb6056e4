// The files in which runtimes name the code that they generate: "perf-4711.map", by process, in
// /tmp by the convention of perf-report(1), and copied into a run's directory.
// Called by what keeps them with a run and by what reads them there.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace umaskaudit {

inline constexpr std::string_view kCodeMapPrefix = "perf-", kCodeMapSuffix = ".map";
// Larger ones are neither kept nor read.
inline constexpr std::uint64_t kCodeMapMostBytes = std::uint64_t{64} << 20;

inline std::string code_map_name(std::uint32_t pid) {
  return std::string(kCodeMapPrefix) + std::to_string(pid) + std::string(kCodeMapSuffix);
}

inline bool is_code_map(std::string_view name) {
  constexpr std::size_t kAround = kCodeMapPrefix.size() + kCodeMapSuffix.size();
  if (name.size() <= kAround || !name.starts_with(kCodeMapPrefix)) return false;
  if (!name.ends_with(kCodeMapSuffix)) return false;
  const std::string_view pid = name.substr(kCodeMapPrefix.size(), name.size() - kAround);
  return std::all_of(pid.begin(), pid.end(),
                     [](char letter) { return letter >= '0' && letter <= '9'; });
}

}  // namespace umaskaudit

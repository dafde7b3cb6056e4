// Reads one field of a file of proc(5).
// Must never trust the field's length.
#include "reporter/inspect/proc_status.h"

#include <unistd.h>

#include <charconv>
#include <fstream>
#include <vector>

#include "reporter/base/clock.h"
#include "reporter/base/proc_stat.h"

namespace umaskaudit::inspect {

std::optional<std::uint32_t> umask_of_process(const std::string& process) {
  std::ifstream status("/proc/" + process + "/status");
  const std::string key = "Umask:\t";
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, key.size(), key) != 0) continue;
    std::uint32_t mask = 0;
    const auto [stop, error] =
        std::from_chars(line.data() + key.size(), line.data() + line.size(), mask, 8);
    if (error == std::errc() && mask <= 0777) return mask;
  }
  return std::nullopt;
}

std::string name_of_process(const std::string& process) {
  std::ifstream comm("/proc/" + process + "/comm");
  std::string name;
  std::getline(comm, name);
  return name;
}

std::optional<std::uint64_t> start_of_process(const std::string& process) {
  constexpr std::size_t kStart = 22 - 3;
  const std::vector<std::string> fields = stat_fields(process);
  if (fields.size() <= kStart) return std::nullopt;
  std::uint64_t ticks = 0;
  const std::string& text = fields[kStart];
  if (std::from_chars(text.data(), text.data() + text.size(), ticks).ec != std::errc())
    return std::nullopt;
  const auto tick = static_cast<std::uint64_t>(1'000'000'000 / sysconf(_SC_CLK_TCK));
  const std::uint64_t booted = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_BOOTTIME);
  return booted + ticks * tick;
}

}  // namespace umaskaudit::inspect

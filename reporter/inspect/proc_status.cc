// Reads one field of a file of proc(5).
// Must never trust the field's length.
#include "reporter/inspect/proc_status.h"

#include <charconv>
#include <fstream>

namespace umaskaudit {

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

}  // namespace umaskaudit

// See local_links.h.
#include "reporter/objects/local_links.h"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace umaskaudit {
namespace {

// "6ba7b810-9dad-11d1-80b4-00c04fd430c8" as bytes; zeroes when /proc is missing.
std::array<std::uint8_t, 16> boot_id_here() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::array<std::uint8_t, 16> id{};
  std::size_t digits = 0;
  for (char c = 0; file.get(c) && digits < 2 * id.size();) {
    const bool decimal = c >= '0' && c <= '9';
    if (!decimal && (c < 'a' || c > 'f')) continue;
    const int value = decimal ? c - '0' : c - 'a' + 10;
    std::uint8_t& byte = id[digits / 2];
    byte = static_cast<std::uint8_t>(byte << 4 | value);
    ++digits;
  }
  return id;
}

}  // namespace

NameTree::Links local_links(const Run& run) {
  const std::array<std::uint8_t, 16> id = run.boot_id();
  const bool known = std::any_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte != 0; });
  if (!known || id != boot_id_here()) return nullptr;
  return [](const std::string& directory) {
    char target[PATH_MAX];
    const ssize_t length = readlink(directory.c_str(), target, sizeof target);
    return length <= 0 ? std::string() : std::string(target, static_cast<std::size_t>(length));
  };
}

}  // namespace umaskaudit

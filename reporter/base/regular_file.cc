#include "reporter/base/regular_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace umaskaudit {

std::optional<std::string> read_regular_file(int fd, std::uint64_t most) {
  struct stat facts {};
  if (fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (size > most) return std::nullopt;
  std::string text(size, '\0');
  for (std::size_t at = 0; at < size;) {
    const ssize_t got = read(fd, text.data() + at, size - at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    at += static_cast<std::size_t>(got);
  }
  return text;
}

}  // namespace umaskaudit

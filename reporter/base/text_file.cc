// Reads a file up to a limit; see text_file.h.
#include "reporter/base/text_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace umaskaudit {
namespace {

constexpr std::size_t kLargest = std::size_t{16} << 20;

}  // namespace

Result<std::string> read_text_file(const std::string& path, const std::string& what) {
  const auto failed = [&](const std::string& why) {
    return Error{"cannot read the " + what + " '" + path + "'", why, "", ExitCode::usage};
  };
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return failed(std::strerror(errno));
  std::string text;
  char buffer[65536];
  ssize_t got = 0;
  while (text.size() <= kLargest && (got = read(file, buffer, sizeof buffer)) != 0) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    text.append(buffer, static_cast<std::size_t>(got));
  }
  const int error = errno;
  close(file);
  if (got < 0) return failed(std::strerror(error));
  if (text.size() > kLargest) return failed("larger than 16 MiB");
  return text;
}

}  // namespace umaskaudit

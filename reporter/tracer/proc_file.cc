// Reads page by page; see proc_file.h.

#include "reporter/tracer/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace umaskaudit::tracer {

std::string proc_name(pid_t tid, const char* entry) {
  return "/proc/" + std::to_string(tid) + "/" + entry;
}

std::string read_proc(pid_t tid, const char* entry) {
  std::string text;
  const int fd = open(proc_name(tid, entry).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  std::array<char, 16384> part;
  for (ssize_t size; (size = read(fd, part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(size));
  close(fd);
  return text;
}

}  // namespace umaskaudit::tracer

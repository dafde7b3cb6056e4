// Parses maps, and opens mapped files; see mappings.h.

#include "reporter/tracer/mappings.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

#include "reporter/tracer/proc_file.h"

namespace umaskaudit::tracer {

namespace {

constexpr std::string_view kDeleted = " (deleted)";

// Parses a number and the character after it at the front of a line.
bool take_number(std::string_view& line, int base, char behind, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number, base);
  const auto length = static_cast<std::size_t>(end - line.data());
  if (error != std::errc() || length >= line.size() || *end != behind) return false;
  line.remove_prefix(length + 1);
  return true;
}

// The kernel writes a newline in a name as \012, and escapes nothing else (seq_path() in
// show_map_vma()).
void set_path(std::string_view shown, Mapping& mapping) {
  mapping.deleted = shown.size() > kDeleted.size() && shown.ends_with(kDeleted);
  if (mapping.deleted) shown.remove_suffix(kDeleted.size());
  std::string& path = mapping.path;
  path = shown;
  for (std::size_t at = 0; (at = path.find("\\012", at)) != std::string::npos; ++at) {
    path.replace(at, 4, "\n");
  }
}

// START-END PERMISSIONS OFFSET MAJOR:MINOR INODE PATH
bool parse_line(std::string_view line, Mapping& mapping) {
  if (!take_number(line, 16, '-', mapping.start) || !take_number(line, 16, ' ', mapping.end)) {
    return false;
  }
  if (line.size() < 5) return false;
  mapping.executable = line[2] == 'x';
  line.remove_prefix(5);
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t inode = 0;
  if (!take_number(line, 16, ' ', mapping.offset) || !take_number(line, 16, ':', major) ||
      !take_number(line, 16, ' ', minor)) {
    return false;
  }
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), inode);
  if (error != std::errc()) return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  mapping.device = makedev(static_cast<unsigned>(major), static_cast<unsigned>(minor));
  mapping.inode = inode;
  set_path(line, mapping);
  return true;
}

// Opens the target of `place` if it is that regular file. It is examined first, because opening a
// device has effects, and a FIFO blocks.
int open_same(const std::string& place, const Mapping& mapping, bool& sure) {
  const int found = open(place.c_str(), O_PATH | O_CLOEXEC);
  if (found < 0) return -1;
  struct stat file {};
  int fd = -1;
  if (fstat(found, &file) == 0 && S_ISREG(file.st_mode) && file.st_ino == mapping.inode) {
    sure = file.st_dev == mapping.device;
    fd = open(("/proc/self/fd/" + std::to_string(found)).c_str(), O_RDONLY | O_CLOEXEC);
  }
  close(found);
  return fd;
}

}  // namespace

std::vector<Mapping> parse_mappings(const std::string& text) {
  std::vector<Mapping> mappings;
  std::string_view left = text;
  while (!left.empty()) {
    const std::string_view line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(line.size() + 1, left.size()));
    Mapping mapping;
    if (parse_line(line, mapping)) mappings.push_back(std::move(mapping));
  }
  return mappings;
}

std::vector<Mapping> read_mappings(pid_t tid) { return parse_mappings(read_proc(tid, "maps")); }

int open_mapped(pid_t tid, const Mapping& mapping, bool& sure) {
  if (mapping.inode == 0) return -1;
  char range[40];
  snprintf(range, sizeof range, "map_files/%lx-%lx", mapping.start, mapping.end);
  // The file itself, deleted or not; needs CAP_CHECKPOINT_RESTORE (proc_pid_map_files(5)).
  int fd = open_same(proc_name(tid, range), mapping, sure);
  if (fd >= 0) sure = true;
  if (fd >= 0 || !mapping.path.starts_with('/')) return fd;
  std::string path = proc_name(tid, "root") + mapping.path;
  fd = open_same(path, mapping, sure);
  if (fd < 0 && mapping.deleted) fd = open_same(path.append(kDeleted), mapping, sure);
  return fd;
}

}  // namespace umaskaudit::tracer

// Gives the unused end of finished segments back.
// Must never shorten a file that somebody still maps: a store behind its new end is a SIGBUS in a
// program that is not ours. Called by `run` when CMD has ended.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include "preload/trace/format.h"
#include "reporter/commands/run_directory.h"

namespace umaskaudit {
namespace {

constexpr std::uint64_t kPage = 4096;

struct CloseDirectory {
  void operator()(DIR* stream) const { closedir(stream); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// The kernel grants a write lease only while nobody else has the file open or mapped (fcntl(2),
// F_SETLEASE). Given back at once: a lease that breaks sends SIGIO.
bool nobody_holds(int fd) {
  if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) return false;
  fcntl(fd, F_SETLEASE, F_UNLCK);
  return true;
}

// overlayfs maps the file below its own, which the lease does not see.
bool mapped_somewhere(const std::string& directory) {
  const Directory proc(opendir("/proc"));
  if (!proc) return true;
  const std::string needle = " " + directory + "/";
  while (const dirent* entry = readdir(proc.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    std::ifstream maps(std::string("/proc/") + entry->d_name + "/maps");
    for (std::string line; std::getline(maps, line);)
      if (line.find(needle) != std::string::npos) return true;
  }
  return false;
}

// True when the segment was cut, or had nothing to cut.
bool trim(int directory, const char* name) {
  const Descriptor file(openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  trace::SegmentHeader header{};
  if (file.get() < 0 || fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
  if (pread(file.get(), &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header) ||
      std::memcmp(header.magic, trace::kMagic, sizeof header.magic) != 0 ||
      header.byte_order != trace::kByteOrder || header.major != trace::kMajor)
    return false;
  const bool dead = kill(static_cast<pid_t>(header.pid), 0) != 0 && errno == ESRCH;
  if (!dead || !nobody_holds(file.get())) return false;
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const std::uint64_t used = (std::min(header.tail, size) + kPage - 1) / kPage * kPage;
  return used >= size || ftruncate(file.get(), static_cast<off_t>(used)) == 0;
}

}  // namespace

unsigned trim_segments(const std::string& directory) {
  const Directory stream(opendir(directory.c_str()));
  if (!stream) return 0;
  const bool leave = mapped_somewhere(directory);
  const std::string suffix = trace::kSegmentSuffix;
  unsigned left = 0;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    const bool segment = name.size() > suffix.size() &&
                         name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0;
    if (segment && (leave || !trim(dirfd(stream.get()), entry->d_name))) ++left;
  }
  return left;
}

}  // namespace umaskaudit

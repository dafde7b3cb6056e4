// Gives the unused end of finished segments back.
// Must never shorten a file that somebody still maps: a store behind its new end is a SIGBUS in a
// program that is not ours. Called by `run`, while CMD runs and when it has ended.
#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "preload/trace/format.h"
#include "reporter/base/owned_descriptor.h"
#include "reporter/base/quiet_thread.h"
#include "reporter/record/run_directory.h"

namespace umaskaudit {
namespace {

constexpr std::uint64_t kPage = 4096;

// The kernel grants a write lease only while nobody else has the file open or mapped (fcntl(2),
// F_SETLEASE). Given back at once. A reader that comes meanwhile breaks it: the signal for that is
// one whose default is to be ignored, for SIGIO kills.
bool nobody_holds(int fd) {
  fcntl(fd, F_SETSIG, SIGURG);
  if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) return false;
  fcntl(fd, F_SETLEASE, F_UNLCK);
  return true;
}

// overlayfs maps the file below its own, which the lease does not see: there the processes' maps
// tell, and as each is read at another moment than the lease is asked for, only of segments whose
// process has ended. The names of segments that are mapped; nothing where they cannot be had.
struct Mapped {
  bool known = true;
  bool lease_tells = false;
  std::set<std::string> names;
  bool has(const std::string& name) const { return !known || names.count(name) != 0; }
};

Mapped mapped_segments(const std::string& directory) {
  Mapped mapped;
  struct statfs filesystem {};
  mapped.lease_tells =
      statfs(directory.c_str(), &filesystem) == 0 && filesystem.f_type != OVERLAYFS_SUPER_MAGIC;
  if (mapped.lease_tells) return mapped;
  const Directory proc(opendir("/proc"));
  mapped.known = proc != nullptr;
  while (const dirent* entry = proc ? readdir(proc.get()) : nullptr) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    std::ifstream maps(std::string("/proc/") + entry->d_name + "/maps");
    for (std::string line; std::getline(maps, line);)
      if (is_segment(line)) mapped.names.insert(line.substr(line.rfind('/') + 1));
  }
  return mapped;
}

// Behind what a segment has besides the records before its tail; 0: nothing.
std::uint64_t end_of_chunks(int file, const trace::SegmentHeader& header) {
  trace::Ring ring{};
  std::uint64_t end = 0;
  for (const std::uint64_t region : {header.ring, header.totals})
    if (region != 0) end = std::max(end, region + trace::kControl);
  if (header.ring == 0) return end;
  if (pread(file, &ring, sizeof ring, header.ring) != static_cast<ssize_t>(sizeof ring) ||
      ring.used > trace::kRingChunks)
    return UINT64_MAX;
  return std::max(end, trace::kFirstChunk + std::uint64_t{ring.used} * trace::kChunk);
}

// True when the segment was cut, or had nothing to cut, and its process has ended. `lease_tells`:
// what an exec(2) of a process that is there has unmapped is cut, too.
bool trim(int directory, const char* name, bool lease_tells) {
  const Descriptor file(openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  trace::SegmentHeader header{};
  if (file.get() < 0 || fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
  if (pread(file.get(), &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header) ||
      std::memcmp(header.magic, trace::kMagic, sizeof header.magic) != 0 ||
      header.byte_order != trace::kByteOrder || header.major != trace::kMajor)
    return false;
  const bool dead = kill(static_cast<pid_t>(header.pid), 0) != 0 && errno == ESRCH;
  if ((!dead && !lease_tells) || !nobody_holds(file.get())) return false;
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const std::uint64_t end =
      std::min(std::max(header.tail, end_of_chunks(file.get(), header)), size);
  const std::uint64_t used = (end + kPage - 1) / kPage * kPage;
  const bool cut = used >= size || ftruncate(file.get(), static_cast<off_t>(used)) == 0;
  return cut && dead;
}

}  // namespace

unsigned SegmentTrimmer::trim_all() {
  const Directory stream(opendir(directory_.c_str()));
  if (!stream) return 0;
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream.get()))
    if (is_segment(entry->d_name) && done_.count(entry->d_name) == 0)
      names.emplace_back(entry->d_name);
  if (names.empty()) return 0;
  const Mapped mapped = mapped_segments(directory_);
  unsigned left = 0;
  for (std::string& name : names) {
    if (mapped.has(name) || !trim(dirfd(stream.get()), name.c_str(), mapped.lease_tells))
      ++left;
    else
      done_.insert(std::move(name));
  }
  return left;
}

void SegmentTrimmer::run() {
  constexpr auto kPause = std::chrono::seconds(2);
  std::unique_lock<std::mutex> lock(mutex_);
  while (!changed_.wait_for(lock, kPause, [this] { return over_; })) {
    lock.unlock();
    trim_all();
    lock.lock();
  }
}

void SegmentTrimmer::start() {
  thread_ = start_quiet_thread([this] { run(); });
}

void SegmentTrimmer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

unsigned SegmentTrimmer::finish() {
  stop();
  return trim_all();
}

}  // namespace umaskaudit

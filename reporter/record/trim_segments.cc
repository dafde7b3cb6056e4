// Releases the unused ends of finished segments.
// Must never shorten a file that a process still maps: a store beyond the new end would raise
// SIGBUS in a program that is not ours. Runs while CMD runs and once after it.
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

namespace umaskaudit::record {
namespace {

constexpr std::uint64_t kPage = 4096;

// The kernel grants a write lease only while no other process has the file open or mapped
// (fcntl(2), F_SETLEASE). It is released at once. A reader that opens the file meanwhile breaks the
// lease: the signal for that is set to one that is ignored by default, because SIGIO kills.
bool is_unlocked(int fd) {
  fcntl(fd, F_SETSIG, SIGURG);
  if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) return false;
  fcntl(fd, F_SETLEASE, F_UNLCK);
  return true;
}

// overlayfs maps the lower file, which the lease does not notice: there /proc/PID/maps is read, and
// since that happens at another moment than the lease, only for segments whose process has ended.
// The names of mapped segments; nothing if maps cannot be read.
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

// The end of what a segment has after its records' tail; 0: nothing.
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

// True when the segment was trimmed, or had nothing to trim, and its process has ended.
// `lease_tells`: a segment that a living process has unmapped by exec(2) is trimmed, too.
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
  if ((!dead && !lease_tells) || !is_unlocked(file.get())) return false;
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const std::uint64_t end =
      std::min(std::max(header.tail, end_of_chunks(file.get(), header)), size);
  const std::uint64_t used = (end + kPage - 1) / kPage * kPage;
  const bool cut = used >= size || ftruncate(file.get(), static_cast<off_t>(used)) == 0;
  return cut && dead;
}

}  // namespace

unsigned SegmentTrimmer::trim_all() {
  const Descriptor directory(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<std::string> names =
      segment_names(directory.get()).value_or(std::vector<std::string>());
  std::erase_if(names, [this](const std::string& name) { return done_.count(name) != 0; });
  if (names.empty()) return 0;
  const Mapped mapped = mapped_segments(directory_);
  unsigned left = 0;
  for (std::string& name : names) {
    if (mapped.has(name) || !trim(directory.get(), name.c_str(), mapped.lease_tells))
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

}  // namespace umaskaudit::record

// See appeared.h.
#include "reporter/model/appeared.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <tuple>

#include "preload/trace/object_facts.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kMostDirectories = 4096;
constexpr std::size_t kMostEntries = 1 << 18;

// Device, inode and birth: an inode number is used again. Birth 0: the record has none.
using Object = std::tuple<std::uint64_t, std::uint64_t, std::int64_t>;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_not_of('/') == std::string::npos
                                ? std::string::npos
                                : path.rfind('/', path.find_last_not_of('/'));
  if (slash == std::string::npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// What the records name, and where they say that something was made.
class Known {
 public:
  void operator()(const CreateEvent& event) {
    if (event.error != 0) return;
    objects_.insert({event.dev, event.ino, event.birth_ns});
    if (event.created == trace::Created::no || event.path.empty() || event.path[0] != '/') return;
    if (directories_.size() < kMostDirectories) directories_.insert(parent_of(event.path));
  }
  void operator()(const ProcessEvent& event) {
    owners_.insert(event.uid);
    owners_.insert(event.euid);
  }
  void operator()(const BlindSpotEvent& event) {
    // These hide no creation: they are about masks and names.
    if (event.reason == trace::Blind::no_mask || event.reason == trace::Blind::raw_clone ||
        event.reason == trace::Blind::untracked_chroot)
      return;
    suspicious_ = true;
    if (event.reason == trace::Blind::exec_privileged) any_owner_ = true;
  }
  void operator()(const LossEvent&) { suspicious_ = true; }
  void operator()(const UmaskEvent& event) {
    suspicious_ = suspicious_ || (event.drift && !event.drift_set_by);
  }
  void operator()(const EventBase&) {}

  void use(const std::string& directory) {
    if (!directory.empty()) directories_.insert(directory);
  }
  // The run's own directory is not the program's.
  void ignore(const std::string& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) == 0) objects_.insert({status.st_dev, status.st_ino, 0});
  }
  const std::set<std::string>& directories() const { return directories_; }
  bool names(const struct statx& facts) const {
    const std::uint64_t device = trace::device_of(facts);
    return objects_.count({device, facts.stx_ino, trace::birth_of(facts)}) != 0 ||
           objects_.count({device, facts.stx_ino, 0}) != 0;
  }
  bool owns(std::uint32_t uid) const {
    return any_owner_ || owners_.empty() || owners_.count(uid) != 0;
  }
  bool suspicious() const { return suspicious_; }

 private:
  std::set<Object> objects_;
  std::set<std::string> directories_;
  std::set<std::uint32_t> owners_;
  bool suspicious_ = false;
  bool any_owner_ = false;
};

// The kernel stamps births with the time of its last tick, usually not further in the past.
std::uint64_t tick_ns() {
  struct timespec tick {};
  if (clock_getres(CLOCK_REALTIME_COARSE, &tick) != 0) return 10'000'000;  // of the slowest kernels
  return static_cast<std::uint64_t>(tick.tv_sec * 1'000'000'000 + tick.tv_nsec);
}

struct Span {
  std::uint64_t begin_ns, end_ns;
  bool holds(std::int64_t birth_ns) const {
    const auto birth = static_cast<std::uint64_t>(birth_ns);
    return birth_ns != 0 && birth >= begin_ns && birth <= end_ns;
  }
};

// Empty when neither is known. A directory may hold an older run as well: that began earlier.
Span span_of(const Run& run, const AppearedQuery& query) {
  const std::uint64_t first = run.begin_real_ns();
  if (first == 0 && query.begin_real_ns == 0) return {1, 0};
  const bool started = query.begin_real_ns != 0 && (first == 0 || query.begin_real_ns <= first);
  return {started ? query.begin_real_ns : first - tick_ns(),
          std::max(query.end_real_ns,
                   (first != 0 ? first : query.begin_real_ns) + (run.end_ns() - run.begin_ns()))};
}

struct Closer {
  void operator()(DIR* directory) const { closedir(directory); }
};

bool shared_with_others(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return true;
  return (status.st_mode & S_ISVTX) != 0 && (status.st_mode & S_IWOTH) != 0;
}

}  // namespace

std::vector<Appeared> appeared_unseen(const Run& run, const AppearedQuery& query) {
  Known known;
  run.for_each([&](const Event& event) {
    std::visit(known, event);
    return true;
  });
  if (!known.suspicious() && !query.suspicious) return {};
  known.use(query.directory);
  known.ignore(run.directory());
  const Span span = span_of(run, query);
  const std::uint64_t first = run.begin_real_ns() != 0 ? run.begin_real_ns() : span.begin_ns;
  std::vector<Appeared> found;
  std::size_t entries = 0;
  for (const std::string& directory : known.directories()) {
    const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const std::unique_ptr<DIR, Closer> listing(fd >= 0 ? fdopendir(fd) : nullptr);
    if (listing == nullptr) continue;
    if (shared_with_others(fd)) continue;
    while (const dirent* entry = readdir(listing.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++entries > kMostEntries) return found;
      struct statx facts {};
      if (statx(fd, name.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &facts) !=
          0)
        continue;
      if (S_ISLNK(facts.stx_mode)) continue;  // they have no mode of their own
      if (!span.holds(trace::birth_of(facts)) || known.names(facts)) continue;
      if (!query.any_owner && !known.owns(facts.stx_uid)) continue;
      std::string path = directory == "/" ? "" : directory;
      path.append("/").append(name);
      const auto birth = static_cast<std::uint64_t>(trace::birth_of(facts));
      const std::uint64_t after = birth > first ? birth - first : 0;
      found.push_back({path, trace::kind_of_type(facts.stx_mode), facts.stx_mode & Mode{07777},
                       facts.stx_uid, facts.stx_gid, run.begin_ns() + after});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const Appeared& a, const Appeared& b) { return a.path < b.path; });
  return found;
}

}  // namespace umaskaudit

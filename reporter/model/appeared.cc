// See appeared.h.
#include "reporter/model/appeared.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "preload/trace/object_facts.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kMostDirectories = 4096;
constexpr std::size_t kMostEntries = 1 << 18;

// Device and inode. A number is used again: of two such objects the births differ.
using Inode = std::pair<std::uint64_t, std::uint64_t>;

struct Candidate {
  std::int64_t birth_ns = 0;
  Appeared file;
};
// At most kMostEntries, whatever the run created.
using Candidates = std::multimap<Inode, Candidate>;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_not_of('/') == std::string::npos
                                ? std::string::npos
                                : path.rfind('/', path.find_last_not_of('/'));
  if (slash == std::string::npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Where the records say that something was made, and `started`, if that is known.
std::set<std::string> directories_of(const Run& run, const std::string& started) {
  std::set<std::string> directories;
  run.for_each([&](const Event& event) {
    const auto* create = std::get_if<CreateEvent>(&event);
    if (create == nullptr || create->error != 0 || create->created == trace::Created::no)
      return true;
    if (!create->path.empty() && create->path[0] == '/')
      directories.insert(parent_of(create->path));
    return directories.size() < kMostDirectories;
  });
  if (!started.empty()) directories.insert(started);
  return directories;
}

// Whose objects count.
class Owners {
 public:
  Owners(const Run& run, bool anybody) : anybody_(anybody || run.completeness().hides_owners) {
    for (const ProcessEvent& process : run.processes()) {
      users_.insert(process.uid);
      users_.insert(process.euid);
    }
  }
  bool have(std::uint32_t uid) const {
    return anybody_ || users_.empty() || users_.count(uid) != 0;
  }

 private:
  std::set<std::uint32_t> users_;
  bool anybody_;
};

// Takes away what the records name. One without a birth names whatever has the inode.
void remove_named(const Run& run, Candidates& candidates) {
  const auto remove = [&](const Event& event) {
    const auto* create = std::get_if<CreateEvent>(&event);
    if (create == nullptr || create->error != 0) return true;
    const auto [first, last] = candidates.equal_range({create->dev, create->ino});
    for (auto at = first; at != last;) {
      const bool named = create->birth_ns == 0 || create->birth_ns == at->second.birth_ns;
      at = named ? candidates.erase(at) : std::next(at);
    }
    return !candidates.empty();
  };
  run.for_each(remove, Detail::outline);
}

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
using Listing = std::unique_ptr<DIR, Closer>;

// Null where there is none, and for one that others write to as well.
Listing open_own(const std::string& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return nullptr;
  Listing listing(fdopendir(fd));
  struct stat status {};
  const bool own = listing != nullptr && fstat(fd, &status) == 0 &&
                   ((status.st_mode & S_ISVTX) == 0 || (status.st_mode & S_IWOTH) == 0);
  if (listing == nullptr) close(fd);
  return own ? std::move(listing) : nullptr;
}

// What was born in one of `directories` in the run's time.
Candidates born_in(const Run& run, const AppearedQuery& query,
                   const std::set<std::string>& directories) {
  const Span span = span_of(run, query);
  const Owners owners(run, query.any_owner);
  const std::uint64_t first = run.begin_real_ns() != 0 ? run.begin_real_ns() : span.begin_ns;
  Candidates found;
  std::size_t entries = 0;
  for (const std::string& directory : directories) {
    const Listing listing = open_own(directory);
    if (listing == nullptr) continue;
    while (const dirent* entry = readdir(listing.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (++entries > kMostEntries) return found;
      struct statx facts {};
      if (statx(dirfd(listing.get()), name.c_str(), AT_SYMLINK_NOFOLLOW,
                STATX_BASIC_STATS | STATX_BTIME, &facts) != 0)
        continue;
      if (S_ISLNK(facts.stx_mode)) continue;  // they have no mode of their own
      const std::int64_t birth_ns = trace::birth_of(facts);
      if (!span.holds(birth_ns) || !owners.have(facts.stx_uid)) continue;
      const auto birth = static_cast<std::uint64_t>(birth_ns);
      const std::uint64_t after = birth > first ? birth - first : 0;
      std::string path = directory == "/" ? "" : directory;
      path.append("/").append(name);
      found.insert({{trace::device_of(facts), facts.stx_ino},
                    {birth_ns,
                     {path, trace::kind_of_type(facts.stx_mode), facts.stx_mode & Mode{07777},
                      facts.stx_uid, facts.stx_gid, run.begin_ns() + after}}});
    }
  }
  return found;
}

}  // namespace

std::vector<Appeared> appeared_unseen(const Run& run, const AppearedQuery& query) {
  if (!run.completeness().hides_creations && !query.suspicious) return {};
  Candidates candidates = born_in(run, query, directories_of(run, query.directory));
  // The run's own directory is not the program's.
  struct stat own {};
  if (stat(run.directory().c_str(), &own) == 0) candidates.erase(Inode{own.st_dev, own.st_ino});
  if (!candidates.empty()) remove_named(run, candidates);
  std::vector<Appeared> found;
  found.reserve(candidates.size());
  for (auto& [inode, candidate] : candidates) found.push_back(std::move(candidate.file));
  std::sort(found.begin(), found.end(),
            [](const Appeared& a, const Appeared& b) { return a.path < b.path; });
  return found;
}

}  // namespace umaskaudit

#include "reporter/analysis/unrecorded_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "preload/trace/object_facts.h"

namespace umaskaudit::analysis {
namespace {

constexpr std::size_t kMostDirectories = 16384;
constexpr std::chrono::seconds kMostTime{30};
constexpr std::uint64_t kTickEvery = 1024;  // entries

// Device and inode. Numbers are reused: two such objects differ in birth time.
using Inode = std::pair<std::uint64_t, std::uint64_t>;

struct Candidate {
  std::int64_t birth_ns = 0;
  UnrecordedObject file;
};
// At most UnrecordedQuery::most_entries, however much the run created.
using Candidates = std::multimap<Inode, Candidate>;

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_not_of('/') == std::string::npos
                                ? std::string::npos
                                : path.rfind('/', path.find_last_not_of('/'));
  if (slash == std::string::npos) return "";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// What the records tell about where to search, and for which owners.
struct Places {
  std::set<std::string> directories;
  std::set<std::uint32_t> users;
  bool root = false;      // some process ran as root and could become any user
  bool too_many = false;  // directories
};

Places places_of(const reader::Run& run, const std::string& started) {
  Places places;
  for (const ProcessEvent& process : run.processes()) {
    places.users.insert(process.uid);
    places.users.insert(process.euid);
    places.root |= process.uid == 0 || process.euid == 0;
  }
  const auto add = [&](const std::string& path) {
    if (path.empty() || path[0] != '/') return;
    if (places.directories.size() < kMostDirectories)
      places.directories.insert(path);
    else
      places.too_many |= places.directories.count(path) == 0;
  };
  if (!started.empty()) add(started);
  run.for_each_folded([&](const Event& event) {
    const auto* create = std::get_if<CreateEvent>(&event);
    if (create == nullptr || create->error != 0 || create->created == trace::Created::no)
      return true;
    add(parent_of(create->path));
    if (create->kind == trace::Kind::dir) add(create->path);
    // setuid(2) has no record, but the owners of created objects show it.
    if (create->ino != 0) places.users.insert(create->uid);
    return true;
  });
  return places;
}

// Removes objects that have records. A record without birth time matches any object with its inode.
void remove_named(const reader::Run& run, Candidates& candidates) {
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
  run.for_each(remove, Detail::brief, Folds::folded);
}

// The kernel uses the time of its last tick for births, usually not further in the past.
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

// Empty when neither is known. A directory may also contain an older run, which began earlier.
Span span_of(const reader::Run& run, const UnrecordedQuery& query) {
  const std::uint64_t first = run.begin_real_ns();
  if (first == 0 && query.begin_real_ns == 0) return {1, 0};
  const bool started = query.begin_real_ns != 0 && (first == 0 || query.begin_real_ns <= first);
  // Dropped events had records.
  const std::uint64_t whole_ns = run.dropped().whole_since_ns;
  if (first != 0 && whole_ns > run.begin_ns())
    return {first + (whole_ns - run.begin_ns()),
            std::max(query.end_real_ns, first + (run.end_ns() - run.begin_ns()))};
  return {started ? query.begin_real_ns : first - tick_ns(),
          std::max(query.end_real_ns,
                   (first != 0 ? first : query.begin_real_ns) + (run.end_ns() - run.begin_ns()))};
}

struct Closer {
  void operator()(DIR* directory) const { closedir(directory); }
};
using Listing = std::unique_ptr<DIR, Closer>;

// A directory to search.
struct Place {
  std::string path;
  bool fresh = false;  // born during the run
  bool below = true;   // also search the directories in it
};

// Null if it cannot be opened.
Listing open_directory(const std::string& path, struct statx& facts) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  int fd = open(path.c_str(), kFlags | O_NOATIME);
  if (fd < 0) fd = open(path.c_str(), kFlags);  // O_NOATIME is for the owner: open(2)
  if (fd < 0) return nullptr;
  Listing listing(fdopendir(fd));
  if (listing == nullptr) {
    close(fd);
    return nullptr;
  }
  const bool known = statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &facts) == 0;
  return known ? std::move(listing) : nullptr;
}

bool is_shared(const struct statx& facts) {
  return (facts.stx_mode & S_ISVTX) != 0 && (facts.stx_mode & S_IWOTH) != 0;
}

// The search. Directories that are as new as the run come first: they contain most of the results.
class Search {
 public:
  Search(const reader::Run& run, const UnrecordedQuery& query, Places places)
      : query_(query),
        places_(std::move(places)),
        span_(span_of(run, query)),
        first_real_ns_(run.begin_real_ns() != 0 ? run.begin_real_ns() : span_.begin_ns),
        begin_ns_(run.begin_ns()),
        any_owner_(query.any_owner || run.completeness().hides_owners || places_.users.empty()),
        end_(std::chrono::steady_clock::now() + kMostTime) {
    for (const std::string& path : {run.place(), query.store}) {
      struct stat own {};
      if (!path.empty() && stat(path.c_str(), &own) == 0) own_.insert({own.st_dev, own.st_ino});
    }
  }

  void go() {
    for (const std::string& directory : places_.directories) {
      char* real = realpath(directory.c_str(), nullptr);
      if (real == nullptr) continue;  // gone
      const std::unique_ptr<char, decltype(&std::free)> path(real, &std::free);
      later_.push_back({std::string(path.get()), false, std::strcmp(path.get(), "/") != 0});
    }
    while (incomplete_.empty() && !(fresh_.empty() && later_.empty())) {
      std::deque<Place>& queue = fresh_.empty() ? later_ : fresh_;
      const Place place = std::move(queue.front());
      queue.pop_front();
      look_into(place);
    }
  }

  Candidates& found() { return found_; }
  std::uint64_t entries() const { return entries_; }
  const std::string& incomplete() const { return incomplete_; }

 private:
  void look_into(const Place& place) {
    struct statx facts {};
    const Listing listing = open_directory(place.path, facts);
    if (listing == nullptr || is_shared(facts)) return;
    // a filesystem without birth times, such as /proc
    if ((facts.stx_mask & STATX_BTIME) == 0) return;
    const Inode id{trace::device_of(facts), facts.stx_ino};
    // The run directory itself is not the program's.
    if (own_.count(id) != 0 || !seen_.insert(id).second) return;
    const bool fresh = place.fresh || span_.holds(trace::birth_of(facts));
    // It did not change since: only directories below it can contain new objects.
    const bool untouched = !fresh && !later_than_begin(facts.stx_mtime);
    if (untouched && (!place.below || facts.stx_nlink == 2)) return;  // a link for each directory
    while (const dirent* entry = readdir(listing.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (!may_go_on()) return;
      if (untouched && entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) continue;
      look_at(place, entry->d_name, listing.get(), facts, fresh);
    }
  }

  void look_at(const Place& place, const char* name, DIR* listing, const struct statx& directory,
               bool fresh) {
    struct statx facts {};
    if (statx(dirfd(listing), name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &facts) !=
        0)
      return;
    if (S_ISLNK(facts.stx_mode)) return;  // symbolic links have no mode
    const std::int64_t birth_ns = trace::birth_of(facts);
    const bool born = span_.holds(birth_ns);
    std::string path = place.path == "/" ? "" : place.path;
    path.append("/").append(name);
    const bool same_disk = trace::device_of(facts) == trace::device_of(directory);
    if (S_ISDIR(facts.stx_mode) && place.below && same_disk)
      (born ? fresh_ : later_).push_back({path, born, true});
    const Inode id{trace::device_of(facts), facts.stx_ino};
    if (!born || own_.count(id) != 0 || !is_owner(facts.stx_uid, directory.stx_uid, fresh)) return;
    const auto [known, last] = found_.equal_range(id);
    for (auto at = known; at != last; ++at) {
      if (at->second.birth_ns != birth_ns) continue;
      if (!S_ISDIR(facts.stx_mode)) at->second.file.more_names.push_back(path);
      return;
    }
    const auto birth = static_cast<std::uint64_t>(birth_ns);
    const std::uint64_t after = birth > first_real_ns_ ? birth - first_real_ns_ : 0;
    found_.insert({id,
                   {birth_ns,
                    {path,
                     trace::kind_of_type(facts.stx_mode),
                     facts.stx_mode & Mode{07777},
                     facts.stx_uid,
                     facts.stx_gid,
                     begin_ns_ + after,
                     id.first,
                     id.second,
                     {}}}});
  }

  bool is_owner(std::uint32_t uid, std::uint32_t directory_owner, bool fresh) const {
    if (any_owner_ || places_.users.count(uid) != 0) return true;
    return places_.root && (fresh || uid == directory_owner);
  }

  bool later_than_begin(const struct statx_timestamp& time) const {
    if (time.tv_sec < 0) return false;
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec >= span_.begin_ns;
  }

  bool may_go_on() {
    if (entries_ == query_.most_entries) {
      incomplete_ = std::to_string(entries_) + " names were looked at, and there are more";
      return false;
    }
    if (++entries_ % kTickEvery != 0) return true;
    if (query_.ticker) query_.ticker(entries_);
    if (std::chrono::steady_clock::now() < end_) return true;
    incomplete_ = std::to_string(entries_) + " names were looked at in " +
                  std::to_string(kMostTime.count()) + " s, and there are more";
    return false;
  }

  const UnrecordedQuery& query_;
  const Places places_;
  const Span span_;
  const std::uint64_t first_real_ns_, begin_ns_;
  const bool any_owner_;
  const std::chrono::steady_clock::time_point end_;
  std::set<Inode> own_;
  std::deque<Place> fresh_, later_;
  std::set<Inode> seen_;
  Candidates found_;
  std::uint64_t entries_ = 0;
  std::string incomplete_;
};

}  // namespace

UnrecordedObjects find_unrecorded(const reader::Run& run, const UnrecordedQuery& query) {
  UnrecordedObjects result;
  if (!run.completeness().hides_creations && !query.suspicious) return result;
  Places places = places_of(run, query.directory);
  const bool too_many = places.too_many;
  Search search(run, query, std::move(places));
  search.go();
  result.entries = search.entries();
  result.incomplete = search.incomplete();
  if (result.incomplete.empty() && too_many)
    result.incomplete = "the run used more than " + std::to_string(kMostDirectories) +
                        " directories, and only so many were looked into";
  Candidates& candidates = search.found();
  if (!candidates.empty()) remove_named(run, candidates);
  result.objects.reserve(candidates.size());
  for (auto& [inode, candidate] : candidates) result.objects.push_back(std::move(candidate.file));
  std::sort(result.objects.begin(), result.objects.end(),
            [](const UnrecordedObject& a, const UnrecordedObject& b) { return a.path < b.path; });
  return result;
}

}  // namespace umaskaudit::analysis

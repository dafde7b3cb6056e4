// Without locks: names are claimed by mkdir(2) when a run begins, and the link is replaced by
// rename(2).
#include "reporter/record/run_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "preload/trace/format.h"
#include "reporter/base/clock.h"
#include "reporter/base/owned_descriptor.h"

namespace umaskaudit::record {
namespace {

constexpr char kLatest[] = "latest";

// A directory of this user that no other user can write to; others' may contain a forged run.
bool is_own_directory(const std::string& path) {
  struct stat facts {};
  return lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == geteuid() &&
         (facts.st_mode & 0022) == 0;
}

// Empty: the environment names no such directory.
std::string state_store() {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return std::string(state) + "/umaskaudit";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/state/umaskaudit";
  return "";
}

// mkdir -p, with 0700 whatever the umask is. An error number; 0 when it exists and is ours.
int make_own_directory(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    if (mkdir(path.substr(0, at).c_str(), 0700) != 0 && errno != EEXIST && errno != EROFS)
      return errno;
  const bool made = mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return errno;
  if (made) fchmodat(AT_FDCWD, path.c_str(), 0700, AT_SYMLINK_NOFOLLOW);
  return is_own_directory(path) ? 0 : EPERM;
}

// Traces contain paths and users of a machine, and must not be committed by accident.
void write_ignore_file(const std::string& store) {
  const int fd = open((store + "/.gitignore").c_str(),
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return;
  constexpr std::string_view kAll = "*\n";
  (void)!write(fd, kAll.data(), kAll.size());
  close(fd);
}

std::string plain_name(const std::string& command) {
  std::string name = command.substr(command.rfind('/') + 1).substr(0, 15);  // TASK_COMM_LEN - 1
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!plain && std::strchr("+-_.", c) == nullptr) c = '_';
  }
  // Hidden names are no runs.
  if (name.empty() || name[0] == '.') name.insert(0, 1, '_');
  return name;
}

std::string latest_name(const std::string& store) {
  char target[NAME_MAX + 1];
  const ssize_t length = readlink((store + "/" + kLatest).c_str(), target, sizeof target);
  if (length <= 0 || length > NAME_MAX) return "";
  std::string name(target, static_cast<std::size_t>(length));
  return name.find('/') == std::string::npos && is_own_directory(store + "/" + name) ? name : "";
}

StoredRun look_at(const std::string& store, const std::string& name) {
  StoredRun run;
  run.name = name;
  run.path = store + "/" + name;
  const Directory stream(opendir(run.path.c_str()));
  if (!stream) return run;
  struct stat facts {};
  if (fstat(dirfd(stream.get()), &facts) == 0) run.changed_ns = to_ns(facts.st_ctim);
  while (const dirent* entry = readdir(stream.get())) {
    if (fstatat(dirfd(stream.get()), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(facts.st_mode)) run.bytes += static_cast<std::uint64_t>(facts.st_blocks) * 512;
    if (is_segment(entry->d_name)) ++run.segments;
  }
  run.record = read_run_record(run.path);
  run.recording = recorder_of(run.path) != 0;
  return run;
}

std::vector<StoredRun> runs_in(const std::string& store) {
  std::vector<StoredRun> runs;
  if (store.empty() || !is_own_directory(store)) return runs;
  const Directory stream(opendir(store.c_str()));
  if (!stream) return runs;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    struct stat facts {};
    if (name[0] != '.' && is_own_directory(store + "/" + name) &&
        stat((store + "/" + name + "/" + trace::kRunStateName).c_str(), &facts) == 0)
      runs.push_back(look_at(store, name));
  }
  const auto began = [](const StoredRun& run) {
    return run.record ? run.record->start_real_ns : run.changed_ns;
  };
  std::sort(runs.begin(), runs.end(), [&](const StoredRun& a, const StoredRun& b) {
    return std::pair(began(a), a.name) < std::pair(began(b), b.name);
  });
  const std::string latest = latest_name(store);
  for (StoredRun& run : runs) run.latest = run.name == latest;
  if (latest.empty() && !runs.empty()) runs.back().latest = true;
  return runs;
}

bool is_there(const std::string& path) {
  struct stat facts {};
  return lstat(path.c_str(), &facts) == 0;
}

}  // namespace

Result<std::string> new_run_path(const std::string& command, long pid) {
  std::string store = kStoreName;
  int error = make_own_directory(store);
  if (error != 0 && !state_store().empty()) {
    store = state_store();
    error = make_own_directory(store);
  }
  if (error != 0)
    return Error{
        "cannot record into '" + store + "'",
        error == EPERM ? "others may write to it, or it is another user's" : std::strerror(error),
        "a directory with -o", ExitCode::internal};
  write_ignore_file(store);
  const std::string plain = store + "/" + plain_name(command) + "." + std::to_string(pid);
  std::string free = plain;
  for (unsigned next = 2; next < 10000 && is_there(free); ++next)
    free = plain + "." + std::to_string(next);
  return free;
}

std::string store_of(const std::string& run) {
  const std::size_t slash = run.rfind('/');
  if (slash == std::string::npos || slash == 0) return "";
  const std::string above = run.substr(0, slash);
  const bool named = above.substr(above.rfind('/') + 1) == kStoreName;
  return named || above == state_store() ? above : "";
}

namespace {

// Points `latest` of the store to the run, if it is in one. Atomically, because another run may
// begin at the same time. If that fails, the latest run is found by its time.
void set_latest(const std::string& run) {
  const std::string store = store_of(run);
  if (store.empty() || !is_own_directory(store)) return;
  const std::string link = store + "/.latest." + std::to_string(getpid());
  unlink(link.c_str());
  if (symlink(run.substr(store.size() + 1).c_str(), link.c_str()) != 0) return;
  if (rename(link.c_str(), (store + "/" + kLatest).c_str()) != 0) unlink(link.c_str());
}

}  // namespace

Result<RunDirectory> begin_run(const std::string& given, const std::string& command, long pid,
                               EarlierRun earlier) {
  const Result<std::string> path = given.empty() ? new_run_path(command, pid) : given;
  if (!path) return path.error();
  Result<RunDirectory> run = prepare_run_directory(*path, earlier);
  if (run) set_latest(run->path);
  return run;
}

std::string store_path() {
  const std::string state = state_store();
  // A store that cannot be created here was created in the other place.
  if (is_own_directory(kStoreName) || state.empty()) return kStoreName;
  return is_there(kStoreName) || access(".", W_OK) != 0 || is_own_directory(state) ? state
                                                                                   : kStoreName;
}

std::vector<StoredRun> stored_runs() { return runs_in(store_path()); }

bool is_stored_run(const std::string& name) {
  return !name.empty() && name.find('/') == std::string::npos &&
         is_own_directory(store_path() + "/" + name);
}

Result<std::string> find_run(const std::string& word) {
  const std::string store = store_path();
  if (!word.empty()) {
    return !is_there(word) && is_stored_run(word) ? store + "/" + word : word;
  }
  if (is_own_directory(store)) {
    if (const std::string latest = latest_name(store); !latest.empty()) return store + "/" + latest;
    const std::vector<StoredRun> runs = runs_in(store);
    if (!runs.empty()) return runs.back().path;
  }
  return Error{"no RUN given", "and none was recorded here: '" + store + "' has none",
               "umaskaudit run -- CMD, or RUN", ExitCode::usage};
}

Status remove_run(const std::string& path) {
  if (const Status removed = empty_run_directory(path); !removed) return removed.error();
  if (rmdir(path.c_str()) != 0)
    return Error{"cannot remove '" + path + "'", std::strerror(errno), "", ExitCode::internal};
  return Done{};
}

}  // namespace umaskaudit::record

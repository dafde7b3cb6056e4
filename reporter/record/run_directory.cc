// Creates and checks run directories: names, ownership, modes.
// Must never rely on the umask: a default ACL or umask 0 would open the trace to others.
#include "reporter/record/run_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

#include "preload/trace/format.h"
#include "reporter/base/code_map_name.h"
#include "reporter/base/owned_descriptor.h"
#include "reporter/inspect/proc_status.h"
#include "reporter/record/run_record.h"

namespace umaskaudit::record {
namespace {

Error cannot_record(const std::string& path, const std::string& why) {
  return {"cannot record into '" + path + "'", why, "another directory with -o",
          ExitCode::internal};
}

bool is_ours(const std::string& name) {
  return is_segment(name) || name == trace::kRunStateName || is_code_map(name) ||
         name.rfind(kRunRecordName, 0) == 0;
}

// The trace's files in `directory`; any other file is an error.
Result<std::vector<std::string>> own_files(int directory, const std::string& path) {
  const Directory stream(fdopendir(dup(directory)));
  if (!stream) return cannot_record(path, std::strerror(errno));
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (!is_ours(name)) return cannot_record(path, "it holds '" + name + "', which is no trace");
    names.push_back(name);
  }
  return names;
}

// The mark alone is no run: `top` leaves it for the `run` that it starts.
bool is_run(const std::vector<std::string>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const std::string& name) { return name != trace::kRunStateName; });
}

// Removes an earlier run from `directory`, whose path is `path`.
Status remove_files(int directory, const std::string& path, const std::vector<std::string>& files) {
  if (const long recorder = recorder_of(path); recorder != 0)
    return cannot_record(path, "process " + std::to_string(recorder) + " still records into it");
  for (const std::string& name : files)
    if (unlinkat(directory, name.c_str(), 0) != 0) return cannot_record(path, std::strerror(errno));
  return Done{};
}

// An empty run.state marks the directory as a run even if no process in it can record. One page is
// written: the library maps it, and then can count without more disk space or a larger file.
bool mark_as_run(int directory) {
  const int fd = openat(directory, trace::kRunStateName,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return errno == EEXIST;
  constexpr std::size_t kPage = 4096;
  unsigned char page[kPage] = {};
  trace::RunState state{};
  std::memcpy(state.magic, trace::kMagic, sizeof state.magic);
  state.major = trace::kMajor;
  state.minor = trace::kMinor;
  state.byte_order = trace::kByteOrder;
  std::memcpy(page, &state, sizeof state);
  bool written = fchmod(fd, 0600) == 0;
  if (written) {
    const ssize_t count = write(fd, page, sizeof page);
    written = count == static_cast<ssize_t>(sizeof page);
    if (count >= 0 && !written) errno = EFBIG;  // RLIMIT_FSIZE cuts a write short (setrlimit(2))
  }
  const int error = errno;
  close(fd);
  if (!written) unlinkat(directory, trace::kRunStateName, 0);
  errno = error;
  return written;
}

}  // namespace

bool is_segment(const std::string& name) {
  constexpr std::string_view kSuffix = trace::kSegmentSuffix;
  return name.size() > kSuffix.size() && name.ends_with(kSuffix);
}

std::optional<std::vector<std::string>> segment_names(int directory) {
  const Directory stream(fdopendir(dup(directory)));
  if (!stream) return std::nullopt;
  rewinddir(stream.get());
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream.get()))
    if (is_segment(entry->d_name)) names.emplace_back(entry->d_name);
  return names;
}

long recorder_of(const std::string& path) {
  const std::optional<RunRecord> record = read_run_record(path);
  if (!record || record->exit_code || record->recorder <= 0) return 0;
  // If the recorder was killed, its pid may belong to another program by now.
  const std::string name = inspect::name_of_process(std::to_string(record->recorder));
  return name == inspect::name_of_process("self") ? record->recorder : 0;
}

Status empty_run_directory(const std::string& path) {
  const auto cannot = [&](const std::string& why) {
    return Error{"cannot remove '" + path + "'", why, "", ExitCode::internal};
  };
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
    return Error{"no run '" + path + "' to remove", std::strerror(errno), "umaskaudit ls",
                 ExitCode::unreadable};
  if (fd < 0) return cannot(std::strerror(errno));
  const auto close_fd = [](const int* descriptor) { close(*descriptor); };
  const std::unique_ptr<const int, decltype(close_fd)> closer(&fd, close_fd);
  struct stat facts {};
  if (fstat(fd, &facts) != 0) return cannot(std::strerror(errno));
  if (facts.st_uid != geteuid()) return cannot("it belongs to another user");
  const Result<std::vector<std::string>> files = own_files(fd, path);
  if (!files) return cannot(files.error().why);
  if (files->empty()) return cannot("it holds no run");
  const Status removed = remove_files(fd, path, *files);
  return removed ? removed : Status(cannot(removed.error().why));
}

void remove_run_directory(const RunDirectory& run) {
  for (const char* name : {kRunRecordName, trace::kRunStateName})
    unlink((run.path + "/" + name).c_str());
  if (run.made) rmdir(run.path.c_str());
}

void add_earlier_run_options(CLI::App& app, EarlierRun& earlier) {
  const auto set = [&earlier](EarlierRun to) {
    return [&earlier, to](std::int64_t /*count*/) { earlier = to; };
  };
  CLI::Option* append =
      app.add_flag_function("--append", set(EarlierRun::continued),
                            "Add to the run that the directory of --output holds");
  app.add_flag_function("--force", set(EarlierRun::removed),
                        "Remove the run that the directory of --output holds, and record a new one")
      ->excludes(append);
}

Result<RunDirectory> prepare_run_directory(const std::string& path, EarlierRun earlier) {
  RunDirectory run;
  run.made = mkdir(path.c_str(), 0700) == 0;
  if (!run.made && errno != EEXIST) return cannot_record(path, std::strerror(errno));
  // A mask with 0700 denies access to the owner too, and open(2) needs read permission.
  if (run.made) fchmodat(AT_FDCWD, path.c_str(), 0700, AT_SYMLINK_NOFOLLOW);
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return cannot_record(path, std::strerror(errno));
  const auto close_fd = [](const int* descriptor) { close(*descriptor); };
  const std::unique_ptr<const int, decltype(close_fd)> closer(&fd, close_fd);

  struct stat facts {};
  if (fstat(fd, &facts) != 0) return cannot_record(path, std::strerror(errno));
  if (facts.st_uid != geteuid()) return cannot_record(path, "it belongs to another user");
  const Result<std::vector<std::string>> files = own_files(fd, path);
  if (!files) return files.error();
  if (is_run(*files)) {
    if (earlier == EarlierRun::refused)
      return Error{"cannot record into '" + path + "'", "it holds a run already",
                   "--append to add to it, --force to replace it, or another directory with -o",
                   ExitCode::internal};
    if (earlier == EarlierRun::removed) {
      if (const Status removed = remove_files(fd, path, *files); !removed) return removed.error();
    }
    run.continued = earlier == EarlierRun::continued;
  }
  if (fchmod(fd, 0700) != 0 || !mark_as_run(fd)) {
    const int error = errno;
    if (run.made) rmdir(path.c_str());
    return cannot_record(path, std::strerror(error));
  }

  char* absolute = realpath(path.c_str(), nullptr);
  if (absolute == nullptr) return cannot_record(path, std::strerror(errno));
  run.path = absolute;
  std::free(absolute);
  return run;
}

}  // namespace umaskaudit::record

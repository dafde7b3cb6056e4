// run.state comes first: it counts no segment that the later listing does not have. Of the segments
// the latest come first: what one refers to was written to an older one before it was created.
#include "reporter/record/snapshot.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "preload/trace/format.h"
#include "reporter/base/owned_descriptor.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_record.h"
#include "reporter/record/segment_copy.h"

namespace umaskaudit::record {
namespace {

Error cannot_copy(const std::string& what, const std::string& why) {
  return {"cannot copy '" + what + "'", why, "", ExitCode::unreadable};
}

// "<pid>-<CLOCK_MONOTONIC, 16 hex>.seg": by that.
std::string stamp_of(const std::string& name) {
  return name.substr(std::min(name.find('-'), name.size()));
}

Result<std::vector<std::string>> segments_of(int directory, const std::string& path) {
  std::optional<std::vector<std::string>> names = segment_names(directory);
  if (!names) return cannot_copy(path, std::strerror(errno));
  std::sort(names->begin(), names->end(),
            [](const std::string& a, const std::string& b) { return stamp_of(a) > stamp_of(b); });
  return *std::move(names);
}

// Zeroes where there is none.
trace::RunState state_of(int directory) {
  trace::RunState state{};
  const Descriptor file(
      openat(directory, trace::kRunStateName, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (pread(file.get(), &state, sizeof state, 0) < 0) state = {};
  return state;
}

Status write_state(int directory, const trace::RunState& state) {
  const Descriptor file(openat(directory, trace::kRunStateName, O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  const ssize_t put = pwrite(file.get(), &state, sizeof state, 0);
  if (put != static_cast<ssize_t>(sizeof state))
    return cannot_copy(trace::kRunStateName, std::strerror(put < 0 ? errno : ENOSPC));
  return Done{};
}

}  // namespace

bool holds_run(const std::string& directory) {
  const Descriptor fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (faccessat(fd.get(), trace::kRunStateName, F_OK, AT_SYMLINK_NOFOLLOW) == 0) return true;
  const Result<std::vector<std::string>> names = segments_of(fd.get(), directory);
  return names && !names->empty();
}

Result<Snapshot> copy_run(const std::string& from, const std::string& to) {
  constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const Descriptor source(open(from.c_str(), kDirectory));
  if (source.get() < 0) return cannot_copy(from, std::strerror(errno));
  const Descriptor target(open(to.c_str(), kDirectory | O_NOFOLLOW));
  if (target.get() < 0) return cannot_copy(to, std::strerror(errno));

  trace::RunState state = state_of(source.get());
  const Result<std::vector<std::string>> names = segments_of(source.get(), from);
  if (!names) return names.error();
  Snapshot snapshot;
  for (const std::string& name : *names) {
    const Descriptor file(
        openat(source.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0 && errno == ENOENT) continue;  // it was removed because of max_run since
    struct stat facts {};
    if (file.get() < 0 || fstat(file.get(), &facts) != 0)
      return cannot_copy(from + "/" + name, std::strerror(errno));
    if (!S_ISREG(facts.st_mode)) return cannot_copy(from + "/" + name, "it is not a regular file");
    const Descriptor copy(openat(target.get(), name.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (copy.get() < 0 || fchmod(copy.get(), 0600) != 0)
      return cannot_copy(from + "/" + name, std::strerror(errno));
    const Result<std::uint64_t> bytes = copy_segment(file.get(), copy.get());
    if (!bytes) return cannot_copy(from + "/" + name, bytes.error().why);
    ++snapshot.segments;
    snapshot.bytes += *bytes;
  }
  // Segments that were removed meanwhile are in these counts, whether they were listed or not.
  const trace::RunState now = state_of(source.get());
  state.dropped_segments = now.dropped_segments;
  state.dropped_records = now.dropped_records;
  state.dropped_changes = now.dropped_changes;
  std::copy(std::begin(now.dropped_created), std::end(now.dropped_created), state.dropped_created);
  state.dropped_whole_since_ns = now.dropped_whole_since_ns;
  if (std::memcmp(state.magic, trace::kMagic, sizeof state.magic) == 0) {
    if (const Status written = write_state(target.get(), state); !written) return written.error();
  }
  if (std::optional<RunRecord> record = read_run_record(from)) {
    record->recorder = 0;  // the copy is not being recorded
    if (const Status written = write_run_record(to, *record); !written) return written.error();
  }
  return snapshot;
}

}  // namespace umaskaudit::record

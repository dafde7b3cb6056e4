// Whether a segment can be used depends on which header fields can be trusted: a torn header does
// not lose its records, a newer major version does.
#include "reporter/reader/run_open.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <optional>

namespace umaskaudit::reader {
namespace {

enum class HeaderState { good, damaged, newer_major };

std::string versions(const trace::SegmentHeader& header) {
  return "trace version " + std::to_string(header.major) + "." + std::to_string(header.minor) +
         ", this reader understands " + std::to_string(trace::kMajor) + "." +
         std::to_string(trace::kMinor);
}

HeaderState read_header(const SegmentFile::Reader& file, trace::SegmentHeader* header) {
  const bool whole = file.read(0, header, sizeof *header) == sizeof *header;
  if (!whole || std::memcmp(header->magic, trace::kMagic, sizeof trace::kMagic) != 0) {
    return HeaderState::damaged;
  }
  if (header->byte_order != trace::kByteOrder || header->word_size != 8) {
    return HeaderState::damaged;
  }
  if (header->major != trace::kMajor) return HeaderState::newer_major;
  // Only a newer minor version may have a longer header: no checksum protects this field.
  const std::uint64_t known = sizeof *header +
                              std::uint64_t{header->repeats} * sizeof(trace::Repeat) +
                              std::uint64_t{header->folds} * sizeof(trace::FoldCell);
  const bool length_good =
      header->header_length == known ||
      (header->minor > trace::kMinor && header->header_length > sizeof *header &&
       header->header_length <= trace::kMaxRecord &&
       header->header_length % trace::kRecordAlign == 0);
  const bool length_whole = length_good && file.size() >= header->header_length;  // not cut off
  return length_whole ? HeaderState::good : HeaderState::damaged;
}

void read_repeats(const SegmentFile::Reader& file, Segment* segment) {
  const trace::SegmentHeader& header = segment->header;
  const std::size_t room = (header.header_length - sizeof header) / sizeof(trace::Repeat);
  std::vector<trace::Repeat> repeats(std::min<std::size_t>(header.repeats, room));
  const std::size_t size = repeats.size() * sizeof(trace::Repeat);
  segment->repeats.clear();
  if (size == 0 || file.read(sizeof header, repeats.data(), size) != size) return;
  for (const trace::Repeat& repeat : repeats) segment->repeats.push_back(repeat.count);
}

// "<pid>-<16 hex>.seg"
void read_name(const std::string& name, Segment* segment) {
  const char* end = name.data() + name.size();
  const auto pid = std::from_chars(name.data(), end, segment->pid);
  if (pid.ec == std::errc{} && pid.ptr != end && *pid.ptr == '-') {
    std::from_chars(pid.ptr + 1, end, segment->stamp, 16);
  }
}

bool is_segment_name(const std::string& name) {
  const std::size_t suffix = sizeof trace::kSegmentSuffix - 1;
  return name.size() > suffix &&
         name.compare(name.size() - suffix, suffix, trace::kSegmentSuffix) == 0;
}

Error nothing_usable(const std::string& path, const RunFiles& run,
                     const std::optional<std::string>& newer) {
  if (newer) {
    return Error{"cannot read run '" + path + "'", *newer, "a newer umaskaudit",
                 ExitCode::unreadable};
  }
  if (!run.facts.unreadable.empty()) {
    return Error{"cannot read run '" + path + "'", run.facts.unreadable.front().detail, "",
                 ExitCode::unreadable};
  }
  if (run.facts.has_state && run.facts.state.segments_failed != 0) {
    return Error{"run '" + path + "' is empty",
                 "no process could open a segment: " +
                     std::string(std::strerror(static_cast<int>(run.facts.state.last_errno))),
                 "another directory for umaskaudit run -o", ExitCode::unreadable};
  }
  return Error{"'" + path + "' is not a run", "it holds no segment file (*.seg)",
               "umaskaudit run -o DIR -- CMD to record one", ExitCode::unreadable};
}

}  // namespace

void read_state(const std::shared_ptr<const Descriptor>& directory, DirectoryFacts* facts) {
  const Result<SegmentFile> file = SegmentFile::open(directory, trace::kRunStateName);
  if (!file) return;
  trace::RunState state{};
  constexpr std::size_t kFirstVersion = offsetof(trace::RunState, taken);
  const bool whole = file.value().reader().read(0, &state, sizeof state) >= kFirstVersion;
  facts->has_state = whole && std::memcmp(state.magic, trace::kMagic, sizeof state.magic) == 0 &&
                     state.major == trace::kMajor && state.byte_order == trace::kByteOrder;
  facts->state = state;
}

std::vector<std::string> segment_names(const Descriptor& directory) {
  std::vector<std::string> names;
  const int copy = ::openat(directory.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* listing = copy < 0 ? nullptr : ::fdopendir(copy);
  if (listing == nullptr) return names;
  while (const dirent* entry = ::readdir(listing)) {
    if (is_segment_name(entry->d_name)) names.emplace_back(entry->d_name);
  }
  ::closedir(listing);
  std::sort(names.begin(), names.end());
  return names;
}

Error cannot_open(const std::string& path, int error) {
  // A directory that cannot be read could not be recorded into either.
  const bool missing = error == ENOENT && !path.empty();
  return Error{"cannot open run '" + path + "'", std::strerror(error),
               missing ? "umaskaudit run -o " + path + " -- CMD to record one" : "",
               ExitCode::unreadable};
}

std::unique_ptr<Segment> open_segment(const std::shared_ptr<const Descriptor>& directory,
                                      const std::string& name, std::uint32_t index,
                                      LossEvent* why) {
  Result<SegmentFile> file = SegmentFile::open(directory, name);
  if (!file) {
    *why = segment_loss("unreadable", 1, name, file.error().why);
    return nullptr;
  }
  auto segment = std::make_unique<Segment>(std::move(file.value()), index);
  read_name(name, segment.get());
  const SegmentFile::Reader reader = segment->file.reader();
  const HeaderState state = read_header(reader, &segment->header);
  if (state == HeaderState::good) read_repeats(reader, segment.get());
  if (state == HeaderState::newer_major) {
    *why = segment_loss("version", 1, name, versions(segment->header));
    return nullptr;
  }
  if (state == HeaderState::good) segment->pid = segment->header.pid;
  segment->header_damaged = state == HeaderState::damaged;
  return segment;
}

void read_header_again(Segment* segment) {
  const HeaderState state = read_header(segment->file.growing_reader(), &segment->header);
  segment->header_damaged = state != HeaderState::good;
  if (state == HeaderState::good) segment->pid = segment->header.pid;
}

Result<RunFiles> open_run(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return cannot_open(path, errno);
  const bool single = !S_ISDIR(facts.st_mode);
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::string where = single ? parent : path;
  const auto directory =
      std::make_shared<const Descriptor>(::open(where.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory->get() < 0) return cannot_open(path, errno);

  RunFiles run;
  std::vector<std::string> names{path.substr(slash == std::string::npos ? 0 : slash + 1)};
  if (!single) {
    names = segment_names(*directory);
    read_state(directory, &run.facts);
  }
  std::optional<std::string> newer;
  for (const std::string& name : names) {
    LossEvent why;
    auto segment =
        open_segment(directory, name, static_cast<std::uint32_t>(run.segments.size()), &why);
    if (segment) {
      run.segments.push_back(std::move(segment));
      continue;
    }
    if (why.reason == "version") newer = why.detail;
    run.facts.unreadable.push_back(std::move(why));
  }
  // A run.state without segments and without failures: nothing in the run could be recorded (a
  // static program, for example). That is a valid, empty run.
  const bool nothing_to_record = run.facts.has_state && run.facts.state.segments_failed == 0 &&
                                 run.facts.unreadable.empty() && !newer;
  if (run.segments.empty() && !nothing_to_record) return nothing_usable(path, run, newer);
  return run;
}

}  // namespace umaskaudit::reader

// A run as one compressed file, to be passed on: a tar archive (zstd) of the run directory's files,
// and of what only the machine knows that recorded it.
// Must never write outside a directory of our own, whatever names or types an archive has in it.
// Written by `pack`; opened by every command that takes a RUN.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reporter/base/result.h"

namespace umaskaudit {

inline constexpr char kPackEnding[] = ".uapack";

// A file of the archive that is not in the run's directory.
using AddedFile = std::pair<std::string, std::string>;  // name, content

// Replaces `file` when all of it is written. `run` must not be recorded any more.
Status write_pack(const std::string& file, const std::string& run,
                  const std::vector<AddedFile>& added);

// A packed run, unpacked into a directory of its own (TMPDIR, else /tmp; 0700), which goes with
// this.
class UnpackedRun {
 public:
  // Nothing: the file is no pack. `added`: names of files that it may have beside those of a run.
  static Result<std::optional<UnpackedRun>> open(const std::string& file,
                                                 const std::vector<std::string>& added);
  UnpackedRun(UnpackedRun&&) noexcept;
  UnpackedRun& operator=(UnpackedRun&&) = delete;
  ~UnpackedRun();

  const std::string& path() const { return path_; }

 private:
  explicit UnpackedRun(std::string path) : path_(std::move(path)) {}
  std::string path_;  // empty: moved from
};

}  // namespace umaskaudit

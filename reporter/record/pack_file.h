// A run as one compressed file: a tar archive (zstd) of the run directory's files, and of facts
// that only the recording machine knows.
// Must never write outside a directory of our own, whatever names or types an archive contains.
// Written by `pack`; read by every command that takes a RUN.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reporter/base/result.h"

namespace umaskaudit::record {

inline constexpr char kPackEnding[] = ".uapack";

// An additional file of the archive, which is not in the run directory.
using AddedFile = std::pair<std::string, std::string>;  // name, content

// Replaces `file` once everything is written. `run` must not be recording any more.
Status write_pack(const std::string& file, const std::string& run,
                  const std::vector<AddedFile>& added);

// A packed run, unpacked into a temporary directory (TMPDIR, else /tmp; 0700), which is removed
// with this object.
class UnpackedRun {
 public:
  // Nothing: the file is no pack. `added`: names of files that it may contain beside those of a
  // run.
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

}  // namespace umaskaudit::record

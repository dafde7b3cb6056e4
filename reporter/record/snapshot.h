// A copy of a run as it is while its programs go on.
// Must never write to the run, wait for a program, or copy a chunk that was taken for other records
// meanwhile. Called by `snapshot`.
#pragma once

#include <cstdint>
#include <string>

#include "reporter/base/result.h"

namespace umaskaudit {

struct Snapshot {
  unsigned segments = 0;
  std::uint64_t bytes = 0;  // that were written
};

// Whether there is anything in `directory` that a run consists of.
bool holds_run(const std::string& directory);

// Copies the run in `from` into `to`, an absolute path, a directory of ours with an empty run.state
// in it (prepare_run_directory). What events refer to is copied after them, so that it is there.
Result<Snapshot> copy_run(const std::string& from, const std::string& to);

}  // namespace umaskaudit

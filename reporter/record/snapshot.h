// Copies a run while its programs go on.
// Must never write to the run, wait for a program, or copy a chunk that was reused meanwhile.
#pragma once

#include <cstdint>
#include <string>

#include "reporter/base/result.h"

namespace umaskaudit::record {

struct Snapshot {
  unsigned segments = 0;
  std::uint64_t bytes = 0;  // that were written
};

// Whether `directory` contains any file of a run.
bool holds_run(const std::string& directory);

// Copies the run in `from` into `to`, an absolute path, a directory of ours with an empty run.state
// in it (prepare_run_directory). Records that events refer to are copied after the events, so that
// they are there.
Result<Snapshot> copy_run(const std::string& from, const std::string& to);

}  // namespace umaskaudit::record

// A run that is opened from a directory or from a pack.
// Must never leave what it unpacked behind.
// Called by OpenedRun, and by who opens a Run without one.
#pragma once

#include <optional>
#include <string>

#include "reporter/reader/run.h"
#include "reporter/record/pack_file.h"

namespace umaskaudit {

struct RunFiles {
  std::optional<UnpackedRun> unpacked;  // where `run` reads
  Run run;
};
// `path`: as find_run() has it. A pack is shown under its own name.
Result<RunFiles> open_run_files(const std::string& path, const Ticker& ticker = nullptr);

}  // namespace umaskaudit

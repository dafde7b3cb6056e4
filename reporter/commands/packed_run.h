// ReadableRun: a run opened from its directory, or from a pack that was unpacked into a temporary
// one. Must never leave the unpacked files behind.
#pragma once

#include <optional>
#include <string>

#include "reporter/reader/run.h"
#include "reporter/record/pack_file.h"

namespace umaskaudit::commands {

struct ReadableRun {
  std::optional<record::UnpackedRun> unpacked;  // the files of `run`; none: it was no pack
  reader::Run run;
};
// `path`: as find_run() has it. A pack is shown under its own name.
Result<ReadableRun> open_run_or_pack(const std::string& path,
                                     const reader::Ticker& ticker = nullptr);

}  // namespace umaskaudit::commands

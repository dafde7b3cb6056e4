#include "reporter/commands/packed_run.h"

#include <utility>

#include "reporter/analysis/saved_unrecorded.h"
#include "reporter/objects/local_links.h"
#include "reporter/symbolize/known_names.h"

namespace umaskaudit::commands {

Result<ReadableRun> open_run_or_pack(const std::string& path, const reader::Ticker& ticker) {
  Result<std::optional<record::UnpackedRun>> unpacked = record::UnpackedRun::open(
      path, {symbolize::kKnownNamesFile, kKnownLinksFile, analysis::kSavedUnrecordedFile});
  if (!unpacked) return unpacked.error();
  Result<reader::Run> run = *unpacked ? reader::Run::open((*unpacked)->path(), ticker, path)
                                      : reader::Run::open(path, ticker);
  if (!run) return run.error();
  return ReadableRun{std::move(*unpacked), std::move(*run)};
}

}  // namespace umaskaudit::commands

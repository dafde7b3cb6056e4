#include "reporter/commands/packed_run.h"

#include <utility>

#include "reporter/analysis/saved_unrecorded.h"
#include "reporter/objects/local_links.h"
#include "reporter/symbolize/known_names.h"

namespace umaskaudit {

Result<ReadableRun> open_run_or_pack(const std::string& path, const Ticker& ticker) {
  Result<std::optional<UnpackedRun>> unpacked =
      UnpackedRun::open(path, {kKnownNamesFile, kKnownLinksFile, kSavedUnrecordedFile});
  if (!unpacked) return unpacked.error();
  Result<Run> run =
      *unpacked ? Run::open((*unpacked)->path(), ticker, path) : Run::open(path, ticker);
  if (!run) return run.error();
  return ReadableRun{std::move(*unpacked), std::move(*run)};
}

}  // namespace umaskaudit

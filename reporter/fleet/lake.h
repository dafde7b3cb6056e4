// A lake: a directory of runs of many machines, LAKE/host=HOST/date=DATE/run=RUN/TABLE.jsonl.zst.
// Must never show half a run, nor lose an earlier export of one before the new one is whole.
// Called by `export --format tables` and by `fleet`.
#pragma once

#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/fleet/table_info.h"

namespace umaskaudit::fleet {

inline constexpr char kTableEnding[] = ".jsonl.zst";

// What all rows of a run begin with.
struct RunKey {
  std::string host;  // raw bytes, not empty
  std::string date;  // YYYY-MM-DD, UTC
  std::string run;   // UUID
};

// A UUID of version 8 (RFC 9562) that the same text always gives.
std::string uuid_of(const std::string& text);

// A run on its way into a lake: a directory beside the others, under a name that no reader opens.
class NewLakeRun {
 public:
  // Makes `lake` if it is missing. Directories are for their owner alone (0700), whatever the
  // umask.
  static Result<NewLakeRun> create(const std::string& lake, const RunKey& key);
  NewLakeRun(NewLakeRun&& other) noexcept;
  NewLakeRun& operator=(NewLakeRun&&) = delete;
  // Removes what was not committed.
  ~NewLakeRun();

  // Where the file of a table goes.
  std::string file(const TableInfo& table) const;
  // Gives the run its place; an earlier export of it is replaced as a whole.
  Status commit();
  // That place, relative to the lake.
  const std::string& place() const { return place_; }

 private:
  NewLakeRun(std::string lake, std::string place, std::string directory);
  std::string lake_, place_, directory_;
};

// A run that is in a lake.
struct LakeRun {
  std::string place;    // "host=a/date=2026-11-30/run=..."
  std::string version;  // of the directory: another text when it was replaced
};
// In the order of their paths. Directories that are no runs are left out.
Result<std::vector<LakeRun>> runs_of_lake(const std::string& lake);

}  // namespace umaskaudit::fleet

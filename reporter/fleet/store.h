// A lake in an SQLite database, which is brought up to date instead of being made anew.
// Must never hold a run twice, half a run, or one that is no longer in the lake; nor trust a row:
// files of a lake come from other machines.
// Called by `fleet`. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/fleet/lake.h"
#include "reporter/fleet/table_info.h"

struct sqlite3;
struct sqlite3_stmt;

namespace umaskaudit::fleet {

// The file that a lake's database is by default, in the lake.
inline constexpr char kFleetDatabase[] = ".umaskaudit-fleet.sqlite";

struct Synced {
  std::uint64_t added = 0, removed = 0, unchanged = 0;  // runs
  std::vector<Error> refused;                           // runs that could not be read
};

struct Answer {
  const Question* question = nullptr;
  std::vector<std::string> columns;
  std::vector<bool> numeric;  // of each column: its values are numbers
  // Printable text, NULL as nothing; of more rows than asked for the first ones.
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::uint64_t total = 0;
};

class FleetStore {
 public:
  // `file` is made if it is missing, for its owner alone, and made anew if an older version made
  // it. Empty: one that is gone afterwards. Errors: it is no database of ours, a later version made
  // it, or it cannot be written.
  static Result<FleetStore> open(const std::string& file);
  FleetStore(FleetStore&&) noexcept;
  FleetStore& operator=(FleetStore&&) = delete;
  ~FleetStore();

  // Takes in which of the `runs` of `lake` are new, and forgets all that is not among them. Another
  // process that does the same is waited for. `tick`: told now and then how many rows were read.
  using Tick = std::function<void(std::uint64_t rows)>;
  Result<Synced> sync(const std::string& lake, const std::vector<LakeRun>& runs, const Tick& tick);

  // Answers speak of runs that began between these days, YYYY-MM-DD, both included; empty: no
  // bound.
  Status set_period(const std::string& first_date, const std::string& last_date);

  // At most `limit` rows, the most important first; 0: all.
  Result<Answer> ask(const Question& question, std::uint64_t limit);

  // Runs, hosts, first and last day of the period, as answers are made from.
  struct Extent {
    std::uint64_t runs = 0, hosts = 0;
    std::string first_date, last_date;
  };
  Result<Extent> extent();

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  explicit FleetStore(std::unique_ptr<sqlite3, Close> database);
  Status run(const std::string& sql);
  Status make();
  Status forget(const std::string& place);
  Status load(const std::string& lake, const std::string& place, const std::string& version,
              const Tick& tick, std::uint64_t* rows);
  Error failed() const;

  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace umaskaudit::fleet

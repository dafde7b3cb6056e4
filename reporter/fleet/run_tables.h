// One run as rows of the tables: `export --format tables`.
// Must never hold more of a run than its distinct stacks and the objects that exist at the same
// time. A run is in the lake as a whole or not at all.
// Called by `export`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "reporter/analysis/stack_cache.h"
#include "reporter/base/result.h"
#include "reporter/mode/calculus.h"
#include "reporter/reader/run.h"
#include "reporter/rules/find.h"

namespace umaskaudit {

// Of the row in `runs`: what the run's files do not say themselves. Texts are raw bytes, and empty
// where they are not known.
struct RunRow {
  std::string tool;  // with its version
  std::string host, machine, kernel, program, directory;
  std::uint64_t started_real_ns = 0;  // 0: not known
  std::optional<Mode> umask;
  std::optional<int> exit_code;
  int signal = 0;
  bool complete = false;
  std::string revision, ci, ci_job, ci_url;
};

struct RunTablesSource {
  const Run& run;
  StackCache& stacks;
  RunRow row;
  std::optional<BlindSpotEvent> unaudited;  // known before the run began
  // Reads the run: find() with these options, completed by whatever names code and links.
  std::function<const FindResult&(FindOptions)> find;
};

// Returns the place of the run, relative to `lake`.
Result<std::string> export_tables(const RunTablesSource& source, const std::string& lake);

}  // namespace umaskaudit

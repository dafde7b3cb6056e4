// One run as rows of the tables: `export --format tables`.
// Must never hold more of a run than its distinct stacks and the objects that exist at the same
// time. A run is in the lake as a whole or not at all.
// Called by `export`.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "reporter/analysis/stack_cache.h"
#include "reporter/base/result.h"
#include "reporter/mode/calculus.h"
#include "reporter/reader/run.h"
#include "reporter/record/ci_job.h"
#include "reporter/render/formats/jsonl.h"
#include "reporter/rules/find.h"

namespace umaskaudit::fleet {

struct RunTablesSource {
  const reader::Run& run;
  analysis::StackCache& stacks;
  render::RunLine line;   // its row in `runs`, as far as JSON Lines begin with the same
  std::string directory;  // where it was started, raw bytes; empty: not known
  std::optional<Mode> umask;
  record::CiJob ci;
  std::optional<BlindSpotEvent> unaudited;  // known before the run began
  // Reads the run: find() with these options, completed by whatever names code and links.
  std::function<const rules::FindResult&(rules::FindOptions)> find;
};

// A UUID that tells a run from all others, and is the same however often and wherever it is asked
// for: the column `run` of all tables.
std::string run_id(const reader::Run& run, const render::RunLine& line);

// Returns the place of the run, relative to `lake`.
Result<std::string> export_tables(const RunTablesSource& source, const std::string& lake);

}  // namespace umaskaudit::fleet

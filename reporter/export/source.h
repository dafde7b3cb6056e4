// What an export is made from.
// Must never be changed by an exporter but for the look-ups of stacks.
// Filled by `export`, passed to each exporter.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reporter/analysis/stack_cache.h"
#include "reporter/reader/run.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::exports {

struct ExportSource {
  const reader::Run& run;
  analysis::StackCache& stacks;
  const std::vector<rules::Finding>& findings;
  // Why CMD was not audited, which no segment tells; nothing for one that was.
  std::optional<BlindSpotEvent> unaudited{};
};

// Receives the text of an export piece by piece. False: it cannot be written, stop.
using TextSink = std::function<bool(const std::string&)>;

}  // namespace umaskaudit::exports

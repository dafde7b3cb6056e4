// Findings as a SARIF 2.1.0 log, for code scanning.
// Must never let a name from the program become a link, a placeholder or a control character in a
// viewer: texts are escaped as on a terminal, addresses of files percent-encoded.
//
// Each result has one threadFlow for each thread with a part in it (who opened the window, who was
// hit), both stacks, the objects hit as related locations, and as partial fingerprint the one that
// baselines use. What only the baseline has is a result that passes. Blind spots and losses are
// notifications of the invocation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/render/text_report.h"
#include "reporter/rules/baseline.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::render {

struct SarifRun {
  std::string tool_version;
  Heading heading;
  std::string root;  // where the program was started: files below it get relative addresses
  std::optional<int> exit_code;             // of the program
  int signal = 0;                           // that ended it
  std::optional<int> verdict;               // exit code of `check`; nothing for `report`
  std::vector<rules::KnownFinding> absent;  // of the baseline, and not found again
};

// One document, with a newline at its end.
std::string sarif_log(const TextContext& context, const analysis::Summary& summary,
                      const SarifRun& run, const std::vector<rules::Finding>& findings);

}  // namespace umaskaudit::render

// Findings as JUnit XML, for the test pages of pipelines: one suite a rule.
// Must never emit a character that XML 1.0 forbids, whatever the program named its files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reporter/render/text_report.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::render {

struct JUnitVerdict {
  rules::Severity fail_on =
      rules::Severity::warning;  // findings below are passed cases with their text
  std::string error;             // why the run cannot be judged; empty: it can
  std::string root = {};         // where the run was started: paths are relative to it
};

// A rule without findings is one passed case; a finding is a failed one, or a skipped one where a
// suppression or the baseline covers it.
std::string junit_report(const TextContext& context, const analysis::Summary& summary,
                         const Heading& heading, const JUnitVerdict& verdict,
                         const std::vector<rules::Finding>& findings);

// Text that escape() made, lines and all, as XML character data or the value of an attribute:
// escape() leaves no character that XML 1.0 forbids.
std::string xml_text(std::string_view escaped);

}  // namespace umaskaudit::render

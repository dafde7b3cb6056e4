// Findings as text, in the form of the sanitizers' reports: both sides and a summary line.
// Must never print a byte of the audited program unescaped, nor more objects than a screen holds.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reporter/render/causes.h"
#include "reporter/render/text_report.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::render {

// The colour of a finding by its severity.
Style severity_style(rules::Severity severity);

// The whole finding with both stacks and source lines, the window as a line, and the SUMMARY line.
void append_finding(std::string& out, const TextContext& context, const rules::Finding& finding);

// The same for the findings of one cause after the other: a culprit is shown once.
class FindingTexts {
 public:
  explicit FindingTexts(const TextContext& context) : context_(context) {}
  // The first of `group` in full; of the others where they hit, and an object.
  void append(std::string& out, const CauseGroup& group);

 private:
  const TextContext& context_;
  std::set<std::pair<std::uint32_t, std::string>> shown_;  // threads and places of culprits
  bool first_ = true;
};

// "error: window-overlap: <message>" and a newline behind `indent` blanks; one line, but for a
// terminal that is narrower.
void append_finding_line(std::string& out, const TextContext& context,
                         const rules::Finding& finding, std::size_t indent = 0);

// A line for each cause (by_cause()), and for what is worse than a note the places in the code with
// their source lines; but of one rule and severity at most ten: one line says how many more there
// are. Errors are all shown.
void append_finding_lines(std::string& out, const TextContext& context,
                          const std::vector<rules::Finding>& findings, std::size_t indent);

// "1 error, 2 warnings", "No findings". The findings of one cause count as one.
std::string verdict_text(const std::vector<rules::Finding>& findings, const Paint& paint);

// A table of objects with another mode than they should have: the examples that the findings
// keep; nothing where there are none.
void append_hit_objects(std::string& out, const TextContext& context,
                        const std::vector<rules::Finding>& findings);

// What a cause did at hit_places(): "hit", or "made by" of objects that a later call changed.
const char* hit_verb(const rules::Finding& finding);
// The places in the code that the findings of a cause hit, each once, in their order; escaped.
// A finding about its culprit alone has none.
std::vector<std::string> hit_places(const TextContext& context, const CauseGroup& group);

// Finding::message, escaped; its paths are relative to where the run began.
std::string message_text(const TextContext& context, const rules::Finding& finding);

// "SUMMARY: umaskaudit: window-overlap acquire lock.cc:12, hit open_log app.cc:40 and 1 more
// function, 20,000 objects".
std::string finding_summary(const TextContext& context, const CauseGroup& group);

// The window as a line of `columns`, the moments of the examples marked on it:
//   0022 |0000=====^====^==========| 0022
std::string window_ruler(const rules::Finding& finding, std::size_t columns);

}  // namespace umaskaudit::render

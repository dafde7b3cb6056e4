// A finding for people: the shape that users of the sanitizers know, two sides and a summary line.
// Must never print a byte of the audited program unescaped, nor more objects than a screen holds.
// Called by `check`, `report`, `top` and the summary of `run`.
#pragma once

#include <string>
#include <vector>

#include "reporter/render/text_report.h"
#include "reporter/rules/finding.h"

namespace umaskaudit {

// How alarming a finding is to look at.
Style severity_style(Severity severity);

// The whole finding, framed, with both stacks, the window on a ruler, and the SUMMARY line.
void append_finding(std::string& out, const TextContext& context, const Finding& finding);

// "error: window-overlap: <message>" and a newline behind `indent` blanks; one line, but for a
// terminal that is narrower.
void append_finding_line(std::string& out, const TextContext& context, const Finding& finding,
                         std::size_t indent = 0);

// A line for each, but of one rule and severity at most ten: one line says how many more there are.
// Errors are all shown.
void append_finding_lines(std::string& out, const TextContext& context,
                          const std::vector<Finding>& findings, std::size_t indent);

// "SUMMARY: umaskaudit: window-overlap acquire lock.cc:12, hit open_log app.cc:40, 20000 objects".
std::string finding_summary(const TextContext& context, const Finding& finding);

// The window as a line of `columns`, the moments of the examples marked on it:
//   0022 |0000=====^====^==========| 0022
std::string window_ruler(const Finding& finding, std::size_t columns);

}  // namespace umaskaudit

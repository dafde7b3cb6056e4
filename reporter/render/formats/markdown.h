// A report for a pull request comment.
// Must never let a file name become markup, a link or a mention.
#pragma once

#include <string>
#include <vector>

#include "reporter/render/text_report.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::render {

std::string markdown_report(const TextContext& context, const analysis::Summary& summary,
                            const Heading& heading, const std::vector<rules::Finding>& findings);

// `text` (raw) as a code span that nothing in it can end, safe inside a table cell.
std::string markdown_code(std::string_view text);

}  // namespace umaskaudit::render

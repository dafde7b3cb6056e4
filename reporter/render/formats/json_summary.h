// The summary of a run, and its findings, as one JSON object.
// Must never list events: JSON Lines do that.
#pragma once

#include <string>
#include <vector>

#include "reporter/render/text_report.h"
#include "reporter/rules/finding.h"

namespace umaskaudit {
class JsonWriter;
}  // namespace umaskaudit

namespace umaskaudit::render {

// Who changed the mask from one place, as the next element.
void write_culprit(JsonWriter& json, const Culprit& culprit);
// The members blind_spots, losses and complete.
void write_unseen(JsonWriter& json, const analysis::Summary& summary,
                  const reader::Completeness& facts);

// Ends with a newline.
std::string json_summary(const TextContext& context, const analysis::Summary& summary,
                         const Heading& heading, const std::vector<rules::Finding>& findings);

}  // namespace umaskaudit::render

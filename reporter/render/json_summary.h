// The summary of a run as one JSON object.
// Must never list events: JSON Lines do that.
// Called by `report --format json`.
#pragma once

#include <string>

#include "reporter/render/text_report.h"

namespace umaskaudit {

// Ends with a newline.
std::string json_summary(const TextContext& context, const Summary& summary,
                         const Heading& heading);

}  // namespace umaskaudit

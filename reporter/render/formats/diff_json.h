// What differs between two runs, as one JSON object of schema version 2; fields may be added.
// Must never compare anything: RunDiff did.
#pragma once

#include <string>

#include "reporter/render/diff_report.h"

namespace umaskaudit::render {

// Ends with a newline.
std::string diff_json(const analysis::RunDiff& diff, const DiffSide& a, const DiffSide& b);

}  // namespace umaskaudit::render

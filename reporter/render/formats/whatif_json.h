// What another mask would have done to the objects of a run, as one JSON object of schema version
// 2. Must never decide what another mask changes: analysis/whatif does.
#pragma once

#include <string>

#include "reporter/analysis/whatif.h"
#include "reporter/render/text_report.h"

namespace umaskaudit::render {

// Ends with a newline.
std::string whatif_json(const TextContext& context, const analysis::WhatIf& whatif);

}  // namespace umaskaudit::render

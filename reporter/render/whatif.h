// What another mask would have done to the objects of a run, as text.
// Must never decide what another mask changes: analysis/whatif does.
#pragma once

#include <string>

#include "reporter/analysis/whatif.h"
#include "reporter/render/text_report.h"

namespace umaskaudit::render {

std::string whatif_text(const TextContext& context, const analysis::WhatIf& whatif,
                        std::size_t limit);

}  // namespace umaskaudit::render

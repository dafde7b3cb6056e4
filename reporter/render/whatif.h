// What another mask would have done to the objects of a run, as text.
// Must never decide what another mask changes: analysis/whatif does.
#pragma once

#include <string>

#include "reporter/analysis/whatif.h"
#include "reporter/render/text_report.h"

namespace umaskaudit {

std::string whatif_text(const TextContext& context, const WhatIf& whatif, std::size_t limit);

}  // namespace umaskaudit

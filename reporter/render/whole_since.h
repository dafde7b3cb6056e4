// From when on nothing of a run was dropped.
// Must never name a moment for a run that was not cut. Called by the reports.
#pragma once

#include <cstdint>
#include <string>

#include "reporter/analysis/summary.h"

namespace umaskaudit::render {

// CLOCK_REALTIME; 0: from its begin, or unknown.
std::uint64_t whole_since_real_ns(const reader::Run& run);
// "2026-11-21 21:00:00 UTC"; empty where that is 0.
std::string whole_since_text(const reader::Run& run);

}  // namespace umaskaudit::render

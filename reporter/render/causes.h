// Findings of one cause together: a call that hits five functions is mended in one place.
// Must never join what a suppression covers with what none does.
#pragma once

#include <vector>

#include "reporter/rules/finding.h"

namespace umaskaudit::render {

using CauseGroup = std::vector<const rules::Finding*>;  // not empty, in the order of the findings

// Groups of equal Finding::cause, in the order of their first findings, which `findings` outlives.
// `only_new`: without what a suppression or the baseline covers.
std::vector<CauseGroup> by_cause(const std::vector<rules::Finding>& findings,
                                 bool only_new = false);

}  // namespace umaskaudit::render

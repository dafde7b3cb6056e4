// The name of a finding that stays the same across builds, runs and hosts.
// Must never depend on an address, a pid, a count, a time or a path of a temporary directory.
// Called once a finding is complete but for its message.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reporter/rules/finding.h"

namespace umaskaudit::rules {

// 16 hex digits. `chain` names the code of a stack; without it, or where it knows nothing, calls
// and thread names stand in.
std::string fingerprint(const Finding& finding, const std::function<std::string(StackRef)>& chain);

// Adds what `from` counted to `into`, which has the same fingerprint and began earlier.
void merge(Finding& into, const Finding& from, std::size_t max_examples);

// By severity, then who was hit, then how often, then by time.
void sort_worst_first(std::vector<Finding>& findings);

}  // namespace umaskaudit::rules

// The name of a finding that stays the same across builds, runs and hosts.
// Must never depend on an address, a pid, a count, a time or a path of a temporary directory.
// Called by find.cc once a finding is complete.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reporter/rules/finding.h"

namespace umaskaudit::rules {

// 16 hex digits. `chain` names the code of a stack; without it, or where it knows nothing, calls
// and thread names stand in.
std::string fingerprint(const Finding& finding, const std::function<std::string(StackRef)>& chain);

// Joins findings of one fingerprint (the same code in several processes) and puts the worst first:
// by severity, then who was hit, then how often, then by time.
void merge_and_sort(std::vector<Finding>& findings, std::size_t max_examples);

}  // namespace umaskaudit::rules

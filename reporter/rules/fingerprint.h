// The name of a finding that stays the same across builds, runs and hosts.
// Must never depend on an address, a pid, a count, a time or a path of a temporary directory.
// Called by the collector when a finding begins.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reporter/rules/finding.h"

namespace umaskaudit::rules {

// What enters a fingerprint, of the second version of them: the first one had no program in it, and
// named the frames of interpreters and of generated code.
struct Print {
  RuleId rule;
  std::string_view subject;
  std::string_view program;
  bool at_end = false;
  bool whole_program = false;
  std::string culprit, victim;  // chains of symbols, or calls
};

// 16 hex digits.
std::string fingerprint(const Print& print);

// By severity, then who was hit, then how often, then by time.
void sort_worst_first(std::vector<Finding>& findings);

}  // namespace umaskaudit::rules

// The name of a finding that stays the same across builds, runs and hosts.
// Must never depend on an address, a pid, a count, a time or a path of a temporary directory.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/rules/finding.h"

namespace umaskaudit::rules {

// What enters a fingerprint of every version.
struct PrintBase {
  RuleId rule = RuleId::window_overlap;
  std::string_view subject;
  std::string_view program;
  bool at_end = false;
  bool whole_program = false;
};

// Of the fourth version, which also has the function of the culprit and that of the victim.
struct Print : PrintBase {
  std::optional<Mode> mask;
  bool born_inside = false;
  std::string culprit, victim;  // a function, a module, or a call; the victim may be empty
};

// The third version did not distinguish what was hit. Baselines may hold it.
struct ThirdPrint : PrintBase {
  std::optional<Mode> mask;
  bool born_inside = false;
  std::string code;
};

// The second version also distinguished the callers and what was hit. Baselines may
// hold it.
struct OlderPrint : PrintBase {
  std::string culprit, victim;  // chains of symbols, or calls
};

// 16 hex digits.
std::string fingerprint(const Print& print);
// The same without the victim.
std::string cause_print(const Print& print);
std::string fingerprint(const ThirdPrint& print);
std::string fingerprint(const OlderPrint& print);

// By severity, then who was hit, then how often, then by time.
void sort_worst_first(std::vector<Finding>& findings);

}  // namespace umaskaudit::rules

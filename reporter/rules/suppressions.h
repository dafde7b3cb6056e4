// Suppressions: findings that were reviewed and accepted, with a reason and an end.
// Must never hide a finding for ever by accident: expired and useless lines are reported.
//
//   rule:glob  # reason until=YYYY-MM-DD
//
// The rule may be *. The glob (fnmatch(3), '*' matches '/') is held against the paths of the
// objects hit, and against the functions and modules on the stacks. The reason is required,
// `until=` is not.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::rules {

struct Suppression {
  std::string rule;  // an id, or "*"
  std::string glob;
  std::string reason;
  std::string until;  // "2027-01-01"; empty: no end
  std::uint32_t line = 0;
  bool expired = false;
  std::uint64_t hits = 0;  // objects and findings that it hid
};

class Suppressions {
 public:
  // `today` is "YYYY-MM-DD", `name` is for messages. Errors are usage errors and name the line.
  static Result<Suppressions> parse(std::string_view text, const std::string& name,
                                    const std::string& today);
  static Result<Suppressions> read(const std::string& file, const std::string& today);

  // For FindOptions::skip_object. Counts a hit.
  bool hides(RuleId rule, std::span<const std::string> names);
  // Marks the finding when a function or module of its stacks matches. Counts a hit.
  void apply(Finding& finding, const std::vector<std::string>& functions);

  const std::vector<Suppression>& lines() const { return lines_; }
  // "suppressions:3: ... expired on 2026-01-01 ..." and "... was never hit", one string each; the
  // latter for lines that `tried` says could have been hit.
  std::vector<std::string> complaints(const std::function<bool(const Suppression&)>& tried) const;

 private:
  Suppression* match(RuleId rule, const std::string& text);

  std::string name_;
  std::vector<Suppression> lines_;
};

}  // namespace umaskaudit::rules

// The findings of an earlier run, so that only new ones fail.
// Must never hold more than names: no path, no count, nothing that differs from host to host.
// Used by `check --baseline` and `--write-baseline`.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/rules/finding.h"

namespace umaskaudit {

class Baseline {
 public:
  // `name` is for messages. Errors are usage errors.
  static Result<Baseline> parse(std::string_view text, const std::string& name);
  static Result<Baseline> read(const std::string& file);

  // Sets Finding::baseline. Returns how many of the baseline's findings are gone.
  std::size_t apply(std::vector<Finding>& findings) const;

 private:
  std::unordered_set<std::string> fingerprints_;
};

// One JSON document, sorted, so that it can be kept and compared in version control. Suppressed
// findings are left out: their suppression speaks for them.
void write_baseline(std::ostream& out, const std::vector<Finding>& findings);

}  // namespace umaskaudit

// The findings of an earlier run, so that only new ones fail.
// Must never hold more than names: no path, no count, nothing that differs from host to host.
// Used by `check --baseline` and `--write-baseline`.
#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/rules/finding.h"

namespace umaskaudit {

// A finding as a baseline knows it.
struct KnownFinding {
  std::string fingerprint;
  std::string rule;  // its id; empty where the file has none, or none that is known
};

class Baseline {
 public:
  // `name` is for messages. Errors are usage errors.
  static Result<Baseline> parse(std::string_view text, const std::string& name);
  static Result<Baseline> read(const std::string& file);

  // Sets Finding::baseline. Returns those of the baseline that are not among `findings`, by
  // fingerprint.
  std::vector<KnownFinding> apply(std::vector<Finding>& findings) const;

 private:
  std::map<std::string, std::string> rules_;  // by fingerprint
};

// One JSON document, sorted, so that it can be kept and compared in version control. Suppressed
// findings are left out: their suppression speaks for them.
void write_baseline(std::ostream& out, const std::vector<Finding>& findings);

}  // namespace umaskaudit

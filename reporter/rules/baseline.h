// Baseline: the findings of an earlier run, so that only new ones fail.
// Must never know a finding by more than its names: no count, nothing that differs from host to
// host. The places are there for people who review the file.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::rules {

// A finding as a baseline knows it.
struct KnownFinding {
  std::string fingerprint;
  std::string rule;             // its id; empty where the file has none, or none that is known
  std::string first_seen = {};  // "2026-11-30"; empty where the file has none
  std::vector<std::string> source_prints = {};  // Finding::source_prints
  std::vector<std::string> code_prints = {};    // Finding::code_prints
  bool of_first_version = false;  // of the file: the fingerprint is of the second or third version
};

class Baseline {
 public:
  // `name` is for messages. Errors are usage errors.
  static Result<Baseline> parse(std::string_view text, const std::string& name);
  static Result<Baseline> read(const std::string& file);

  // Sets Finding::baseline. Returns those of the baseline that are not among `findings`, by
  // fingerprint.
  std::vector<KnownFinding> apply(std::vector<Finding>& findings) const;

  // Whether any of its findings is known by Finding::code_prints, too.
  bool has_code_prints() const;

  // When a finding was seen first; empty where that is not known.
  std::string first_seen(const Finding& finding) const;

 private:
  // All entries that know the finding.
  std::vector<std::size_t> known(const Finding& finding) const;

  std::vector<KnownFinding> entries_;                 // by fingerprint
  std::multimap<std::string, std::size_t> by_print_;  // of the entries, by each of their prints
};

// What people want to read of a finding in a baseline; valid UTF-8.
struct BaselineWords {
  std::string program;
  std::string place;  // "race.cc:9 in cfg::read_umask"
  std::string hit;    // the place that it happened to; may be empty
};

struct BaselineOptions {
  std::string date;  // of the run, for what was not seen before
  std::function<BaselineWords(const Finding&)> words;
  const Baseline* older = nullptr;  // whose dates are kept; may be null
};

// One JSON document with a finding a line, sorted, so that it can be kept, compared and reviewed in
// version control. Suppressed findings are left out.
void write_baseline(std::ostream& out, const std::vector<Finding>& findings,
                    const BaselineOptions& options);

}  // namespace umaskaudit::rules

// Normalises names that differ from run to run without meaning: the directory of a run, random
// names, process ids. Replacements are counted, so that a comparison can report what it treated as
// equal. Must never merge names of one run except by the rules below. Used by `diff`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/events/events.h"

namespace umaskaudit::analysis {

// One POSIX extended regular expression; its matches in a path are replaced by "<same>".
class SameText {
 public:
  static Result<SameText> compile(const std::string& expression);
  // Replaces every match. Adds their number to `count`.
  std::string replaced(const std::string& path, std::uint64_t* count) const;

 private:
  struct Expression;
  std::shared_ptr<const Expression> expression_;
};

class PathNames {
 public:
  // `root` (absolute; empty: none) is replaced by ".", and paths below it by "./...". `exact`: no
  // replacements.
  PathNames(std::string root, std::vector<SameText> same, bool exact);

  // Call with all events first: random names and process ids are collected from them.
  // `by_python`: a creation by Python's module tempfile.
  void learn(const Event& event, bool by_python = false);
  std::string normal(const std::string& path);

  const std::string& root() const { return root_; }
  // The number of paths that each rule has changed.
  std::uint64_t below_root() const { return below_root_; }
  std::uint64_t temporary() const { return temporary_; }
  std::uint64_t with_pid() const { return with_pid_; }
  std::uint64_t same() const { return same_count_; }

 private:
  std::string without_pids(const std::string& component, bool* any) const;

  std::string root_;
  std::vector<SameText> same_;
  bool exact_;
  std::map<std::string, std::string> random_;  // path -> its last component, normalised
  std::set<std::string> pids_;
  std::uint64_t below_root_ = 0, temporary_ = 0, with_pid_ = 0, same_count_ = 0;
};

}  // namespace umaskaudit::analysis

// Names that differ from run to run though nothing differs: the directory of a run, random names,
// process ids. What is read as the same is counted, so that a comparison can say what it took for
// equal. Must never join names of one run that the rules below do not name.
// Called by `diff`.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/events/events.h"

namespace umaskaudit {

// One POSIX extended regular expression; what it matches in a path is read as "<same>".
class SameText {
 public:
  static Result<SameText> compile(const std::string& expression);
  // Replaces every match. `count` grows by their number.
  std::string replaced(const std::string& path, std::uint64_t* count) const;

 private:
  struct Expression;
  std::shared_ptr<const Expression> expression_;
};

class PathNames {
 public:
  // `root` (absolute; empty: none) is read as ".", and what lies below it as "./...".
  // `exact`: every path is what it is.
  PathNames(std::string root, std::vector<SameText> same, bool exact);

  // To be told of all events first: random names and process ids come from there.
  // `by_python`: a creation that its module tempfile made.
  void learn(const Event& event, bool by_python = false);
  std::string normal(const std::string& path);

  const std::string& root() const { return root_; }
  // How many paths each rule has changed.
  std::uint64_t below_root() const { return below_root_; }
  std::uint64_t temporary() const { return temporary_; }
  std::uint64_t with_pid() const { return with_pid_; }
  std::uint64_t same() const { return same_count_; }

 private:
  std::string without_pids(const std::string& component, bool* any) const;

  std::string root_;
  std::vector<SameText> same_;
  bool exact_;
  std::map<std::string, std::string> random_;  // path -> its last component, read as the same
  std::set<std::string> pids_;
  std::uint64_t below_root_ = 0, temporary_ = 0, with_pid_ = 0, same_count_ = 0;
};

}  // namespace umaskaudit

// The symbolic links of this machine, for the directories of a run that was recorded on it.
// Must never be asked about a run of another machine: its paths mean something else here.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "reporter/objects/name_tree.h"
#include "reporter/reader/run.h"

namespace umaskaudit {

// Whether the run was recorded on this machine since it was started. False where that is not known.
bool is_of_this_boot(const Run& run);

// readlink(2) of a directory's name. Null where the run was not recorded since this machine was
// started: what its paths lead to cannot be known.
NameTree::Links local_links(const Run& run);

// What local_links() answered where the run was recorded, kept beside a packed run: from there on
// it answers the same.
inline constexpr char kKnownLinksFile[] = "links.json";
// Null links: it was not known where the run's paths lead to.
class KnownLinks {
 public:
  explicit KnownLinks(NameTree::Links links) : links_(std::move(links)) {}
  // Asks, and remembers the answers. Null as the links are; must not outlive this.
  NameTree::Links links();
  std::string text() const;

 private:
  NameTree::Links links_;
  std::map<std::string, std::string> targets_;
};

// Whether the run was packed: what lies under its paths here has nothing to do with it.
bool is_packed(const Run& run);

}  // namespace umaskaudit

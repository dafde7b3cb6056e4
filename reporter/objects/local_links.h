// LocalLinks: the symbolic links of this machine, for the directories of a run that was recorded
// here.
// Must never be used for a run of another machine: its paths mean something else here.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "reporter/objects/name_tree.h"
#include "reporter/reader/run.h"

namespace umaskaudit {

// Whether the run was recorded on this machine since the last boot. False if that is not known.
bool is_of_this_boot(const reader::Run& run);

// readlink(2) for directories. Null if the run was not recorded here since the last boot: then the
// targets of its paths cannot be known.
NameTree::Links local_links(const reader::Run& run);

// The results of local_links() on the recording machine, saved beside a packed run, which then
// gives the same results anywhere.
inline constexpr char kKnownLinksFile[] = "links.json";
// Null links: the targets of the run's paths were not known.
class KnownLinks {
 public:
  explicit KnownLinks(NameTree::Links links) : links_(std::move(links)) {}
  // Calls the links and stores the results. Null if the links are; must not outlive this.
  NameTree::Links links();
  std::string text() const;

 private:
  NameTree::Links links_;
  std::map<std::string, std::string> targets_;
};

// Whether the run was packed: files under its paths here are unrelated to it.
bool is_packed(const reader::Run& run);

}  // namespace umaskaudit

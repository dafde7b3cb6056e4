// Only inodes that were a file without a name are stored: few programs make any.
#include "reporter/reader/tmpfile_links.h"

#include <algorithm>

#include "reporter/events/events.h"

namespace umaskaudit::reader {
namespace {

bool made_something(const trace::Create& create) {
  return create.error == 0 && create.ino != 0 &&
         static_cast<trace::Created>(create.created) != trace::Created::no;
}

}  // namespace

void TmpfileLinks::note(const trace::Create& create, std::uint64_t time_ns) {
  if (!made_something(create)) return;
  const Inode inode{create.dev, create.ino};
  if (static_cast<trace::Kind>(create.kind) == trace::Kind::tmpfile) {
    inodes_[inode].births.push_back(time_ns);
  } else if (const auto known = inodes_.find(inode); known != inodes_.end()) {
    known->second.births.push_back(time_ns);
  }
}

bool TmpfileLinks::wants(const trace::Rename& rename) const {
  return rename.error == 0 && rename.to_length != 0 &&
         static_cast<RenameEvent::Action>(rename.action) == RenameEvent::Action::linked &&
         inodes_.contains({rename.dev, rename.ino});
}

void TmpfileLinks::note(const trace::Rename& rename, const Name& name) {
  inodes_[{rename.dev, rename.ino}].links.push_back(name);
}

void TmpfileLinks::finish() {
  const auto older = [](const Name& a, const Name& b) { return a.time_ns < b.time_ns; };
  for (auto& [inode, lives] : inodes_) {
    std::sort(lives.births.begin(), lives.births.end());
    std::stable_sort(lives.links.begin(), lives.links.end(), older);
  }
}

const TmpfileLinks::Name* TmpfileLinks::find(const trace::Create& create,
                                             std::uint64_t time_ns) const {
  const auto known = inodes_.find({create.dev, create.ino});
  if (known == inodes_.end()) return nullptr;
  const Lives& lives = known->second;
  const auto link = std::find_if(lives.links.begin(), lives.links.end(),
                                 [&](const Name& name) { return name.time_ns >= time_ns; });
  if (link == lives.links.end()) return nullptr;
  const auto next = std::upper_bound(lives.births.begin(), lives.births.end(), time_ns);
  return next != lives.births.end() && *next <= link->time_ns ? nullptr : &*link;
}

}  // namespace umaskaudit::reader

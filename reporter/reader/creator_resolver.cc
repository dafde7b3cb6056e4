// Objects are distinguished by device, inode and birth time. The clock of birth times is coarse (a
// kernel tick), so an inode that is freed and reused within a tick looks the same; only the unlink
// in between shows it.
#include "reporter/reader/creator_resolver.h"

namespace umaskaudit::reader {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 29);
}

std::uint64_t inode_key(std::uint64_t dev, std::uint64_t ino) { return mix(mix(1, dev), ino); }

std::uint64_t place(std::uint32_t segment, std::uint64_t offset) {
  return mix(mix(2, segment), offset);
}

bool claims(const trace::Create& create) {
  switch (static_cast<trace::Created>(create.created)) {
    case trace::Created::yes:
    case trace::Created::probably:
      return create.error == 0 && create.ino != 0;
    case trace::Created::no:
    case trace::Created::unknown:
      return false;
  }
  return false;
}

}  // namespace

void CreatorResolver::note(const trace::Create& create) {
  if (static_cast<trace::Created>(create.created) == trace::Created::probably && claims(create)) {
    disputed_.insert(inode_key(create.dev, create.ino));
  }
}

void CreatorResolver::walk_create(const trace::Create& create, std::uint32_t segment,
                                  std::uint64_t offset) {
  if (!claims(create)) return;
  const std::uint64_t inode = inode_key(create.dev, create.ino);
  if (disputed_.count(inode) == 0) return;
  Owner& owner = owners_[inode];
  if (owner.birth_ns != create.birth_ns) owner = Owner{create.birth_ns, false, false, 0};
  const std::uint64_t here = place(segment, offset);
  if (static_cast<trace::Created>(create.created) == trace::Created::yes) {
    if (owner.claimed && !owner.certain) losers_.insert(owner.first);
    owner.certain = true;
  } else if (owner.certain || owner.claimed) {
    losers_.insert(here);
  } else {
    owner.claimed = true;
    owner.first = here;
  }
}

void CreatorResolver::walk_unlink(std::uint64_t dev, std::uint64_t ino) {
  owners_.erase(inode_key(dev, ino));
}

trace::Created CreatorResolver::settle(const trace::Create& create, std::uint32_t segment,
                                       std::uint64_t offset) const {
  const auto recorded = static_cast<trace::Created>(create.created);
  switch (recorded) {
    case trace::Created::no:
    case trace::Created::yes:
    case trace::Created::unknown:
      return recorded;
    case trace::Created::probably:
      break;
  }
  return losers_.count(place(segment, offset)) != 0 ? trace::Created::no : trace::Created::yes;
}

}  // namespace umaskaudit::reader

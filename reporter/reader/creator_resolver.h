// Who made an object that more than one call may have made. A `probably` says that the object was
// born during the call; when another call says so too, or is sure, only one of them can be right.
// Must never hold anything of the many objects that only sure calls made.
// Filled while a run is opened, asked for each creation.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "preload/trace/format.h"

namespace umaskaudit::model {

class CreatorResolver {
 public:
  // First pass, in any order: one successful creation that says yes or probably.
  void note(const trace::Create& create);
  // True when a second walk, in merged order, is needed.
  bool disputed() const { return !disputed_.empty(); }
  // That walk: each creation, and each name that went away (which makes the inode free for
  // another).
  void walk_create(const trace::Create& create, std::uint32_t segment, std::uint64_t offset);
  void walk_unlink(std::uint64_t dev, std::uint64_t ino);

  // What became of a creation's own word: never `probably`.
  trace::Created settle(const trace::Create& create, std::uint32_t segment,
                        std::uint64_t offset) const;

 private:
  struct Owner {
    std::int64_t birth_ns = 0;
    bool certain = false;  // some call said yes
    bool claimed = false;  // some call said probably, the first of them is:
    std::uint64_t first = 0;
  };

  std::unordered_set<std::uint64_t> disputed_;  // by dev and ino
  std::unordered_map<std::uint64_t, Owner> owners_;
  std::unordered_set<std::uint64_t> losers_;
};

}  // namespace umaskaudit::model

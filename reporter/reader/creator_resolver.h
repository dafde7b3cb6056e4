// CreatorResolver: decides which call created an object when several may have. `probably` says that
// the object was born during the call; when another call says so too, or is certain, only one of
// them can be right.
// Must never store objects that only certain calls created. Filled while a run is opened, used for
// each creation.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "preload/trace/format.h"

namespace umaskaudit::reader {

class CreatorResolver {
 public:
  // First pass, in any order: one successful creation that says yes or probably.
  void note(const trace::Create& create);
  // True when a second walk, in merged order, is needed.
  bool disputed() const { return !disputed_.empty(); }
  // In that walk: each creation, and each removed name (which frees the inode for reuse).
  void walk_create(const trace::Create& create, std::uint32_t segment, std::uint64_t offset);
  void walk_unlink(std::uint64_t dev, std::uint64_t ino);

  // The final value of a creation's `created`: never `probably`.
  trace::Created settle(const trace::Create& create, std::uint32_t segment,
                        std::uint64_t offset) const;

 private:
  struct Owner {
    std::int64_t birth_ns = 0;
    bool certain = false;  // a call said yes
    bool claimed = false;  // a call said probably; the first of them is:
    std::uint64_t first = 0;
  };

  std::unordered_set<std::uint64_t> disputed_;  // by dev and ino
  std::unordered_map<std::uint64_t, Owner> owners_;
  std::unordered_set<std::uint64_t> losers_;
};

}  // namespace umaskaudit::reader

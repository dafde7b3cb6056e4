// Who made an object that more than one call may have made. A `probably` says that the object was
// born during the call; when two calls say so of one object, only one of them can be right.
// Must never hold more than a hash an object, except for objects that are really claimed twice.
// Filled while a run is opened, asked for each creation.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "preload/trace/format.h"

namespace umaskaudit::model {

// A set of 64-bit hashes, open addressing: 8 bytes an entry, and no allocation for each.
class HashSet {
 public:
  // `hash` is not 0. False when it was there already.
  bool insert(std::uint64_t hash);
  // Asks the processor for the memory that insert(hash) will want.
  void prefetch(std::uint64_t hash) const;

 private:
  std::vector<std::uint64_t> slots_;
  std::size_t used_ = 0;
};

class Claims {
 public:
  // First pass, in any order: one successful creation that says yes or probably.
  void note(const trace::Create& create);
  // After the last note().
  void finish();
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

  // Objects noted lately: the table is far larger than the caches, so it is asked for ahead.
  struct Noted {
    std::uint64_t object = 0;
    std::uint64_t inode = 0;
  };
  static constexpr std::size_t kAhead = 16;

  void settle_noted(Noted* noted);

  HashSet seen_;
  Noted noted_[kAhead];
  std::size_t next_ = 0;
  std::unordered_set<std::uint64_t> disputed_;  // by dev and ino
  std::unordered_map<std::uint64_t, Owner> owners_;
  std::unordered_set<std::uint64_t> losers_;
};

}  // namespace umaskaudit::model

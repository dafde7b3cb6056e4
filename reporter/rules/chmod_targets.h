// ChmodTargets: the objects that a later chmod changes, so that each creation can be checked for
// one. They are found in the first reading of the run, as the classes of umask calls are. Memory is
// bounded by the distinct objects that were changed. Filled by find.cc; chmod_check.cc queries it
// and removes what has been changed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "reporter/base/flat_map.h"
#include "reporter/events/events.h"
#include "reporter/rules/bit_filter.h"

namespace umaskaudit::rules {

// A number pair that names one object as long as it lives: inode(7).
struct ObjectId {
  std::uint64_t dev = 0, ino = 0;
  bool operator==(const ObjectId&) const = default;
};
struct ObjectHash {
  std::size_t operator()(const ObjectId& id) const {
    return (id.dev << 32 ^ id.ino) * 0x9E3779B97F4A7C15U;
  }
};

class ChmodTargets {
 public:
  // The first reading.
  void feed(const Event& event) {
    const ChmodEvent* chmod = change_in(event);
    if (chmod == nullptr) return;
    const ObjectId id = object_of(*chmod);
    filter_.add(ObjectHash()(id));
    ++changes_[id];
  }
  // The second reading, which has the same changes.
  bool contains(const ObjectId& id) const {
    return filter_.may_contain(ObjectHash()(id)) && changes_.contains(id);
  }
  // False when no other change of this object comes.
  bool comes_after(const ChmodEvent& chmod) {
    std::uint32_t* left = changes_.find(object_of(chmod));
    if (left == nullptr) return false;
    if (--*left != 0) return true;
    changes_.erase(object_of(chmod));
    return false;
  }

  // Null: the event is no chmod of an object that is known.
  static const ChmodEvent* change_in(const Event& event) {
    const auto* chmod = std::get_if<ChmodEvent>(&event);
    return chmod != nullptr && chmod->error == 0 && chmod->ino != 0 ? chmod : nullptr;
  }
  static ObjectId object_of(const ChmodEvent& chmod) { return {chmod.dev, chmod.ino}; }

 private:
  BitFilter filter_;                                      // of all that were in changes_
  FlatMap<ObjectId, std::uint32_t, ObjectHash> changes_;  // how many are to come
};

}  // namespace umaskaudit::rules

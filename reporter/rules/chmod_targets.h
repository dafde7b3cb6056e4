// Which objects are changed by a later chmod: known only at the end of a run, and asked at each
// creation. Part of the first reading, as the fates are. Memory is bounded by distinct objects that
// somebody changed. Filled by find.cc, asked by chmod_check.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_set>

#include "reporter/model/events.h"

namespace umaskaudit::rules {

// A number pair that names one object as long as it lives: inode(7).
struct ObjectId {
  std::uint64_t dev = 0, ino = 0;
  bool operator==(const ObjectId&) const = default;
};
struct ObjectHash {
  std::size_t operator()(const ObjectId& id) const {
    return static_cast<std::size_t>((id.dev << 32 ^ id.ino) * 0x9E3779B97F4A7C15U);
  }
};

class ChmodTargets {
 public:
  void feed(const Event& event) {
    const auto* chmod = std::get_if<ChmodEvent>(&event);
    if (chmod != nullptr && chmod->error == 0 && chmod->ino != 0)
      objects_.insert({chmod->dev, chmod->ino});
  }
  bool contains(const ObjectId& id) const { return objects_.contains(id); }

 private:
  std::unordered_set<ObjectId, ObjectHash> objects_;
};

}  // namespace umaskaudit::rules

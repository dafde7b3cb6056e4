// FinalObjects: the objects that a run created, with their names and modes at the end.
// Must never grow with the number of events: an object that was created and removed many times in
// the same way is stored once. Used by `diff` and `whatif`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/objects/object_lives.h"

namespace umaskaudit::analysis {

struct FinalObject {
  CreateEvent creation;
  std::string path;         // the last name
  Mode mode = 0;            // at the end of the run
  std::string settled_by;   // the last chmod, fchmod, setxattr ... ; empty: none
  bool removed = false;     // it has no name any more
  std::uint64_t times = 1;  // created and removed so often in the same way
};

// Call see() with a run's events in order, then take().
class FinalObjects {
 public:
  // `selects`: the creations to include; null: all.
  explicit FinalObjects(std::function<bool(const CreateEvent&)> selects = nullptr);

  void see(const Event& event);
  // In the order of creation. Call once.
  std::vector<FinalObject> take();

 private:
  void add(const CreateEvent& event, std::uint64_t id);
  void settle(const ObjectLife& life, bool removed);

  std::function<bool(const CreateEvent&)> selects_;
  std::vector<FinalObject> objects_;
  // of existing objects, by ObjectLife::id
  std::unordered_map<std::uint64_t, std::size_t> indices_;
  std::map<std::string, std::vector<std::size_t>> gone_;
  ObjectLives lives_;
};

}  // namespace umaskaudit::analysis

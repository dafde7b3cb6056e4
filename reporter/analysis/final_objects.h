// The objects that a run made, with the names and the modes that it left them with.
// Must never grow with the number of events: an object that came and went many times in one way is
// kept once. Called by `diff` and `whatif`.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/objects/object_lives.h"

namespace umaskaudit {

struct FinalObject {
  CreateEvent creation;
  std::string path;         // the last name that it had
  Mode mode = 0;            // that the run left it with
  std::string settled_by;   // the last chmod, fchmod, setxattr ... ; empty: none
  bool removed = false;     // its name is gone
  std::uint64_t times = 1;  // made so, removed, and made again
};

// Fed with a run's events in order; then asked for the objects.
class FinalObjects {
 public:
  // `selects`: of interest; null for all.
  explicit FinalObjects(std::function<bool(const CreateEvent&)> selects = nullptr);

  void see(const Event& event);
  // In the order in which they were made. Call once.
  std::vector<FinalObject> take();

 private:
  void add(const CreateEvent& event, std::uint64_t id);
  void settle(const ObjectLife& life, bool removed);

  std::function<bool(const CreateEvent&)> selects_;
  std::vector<FinalObject> objects_;
  std::unordered_map<std::uint64_t, std::size_t> indices_;  // of what is there, by ObjectLife::id
  std::map<std::string, std::vector<std::size_t>> gone_;
  ObjectLives lives_;
};

}  // namespace umaskaudit

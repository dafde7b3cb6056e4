// FinalStates: the state at the end of each object of a run, for output that lists creations in
// order and needs it before the first of them. Memory is bounded by the objects that were renamed
// or changed.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/objects/object_lives.h"
#include "reporter/reader/run.h"

namespace umaskaudit {

class FinalStates {
 public:
  struct State {
    std::string path;  // the last name
    std::optional<Mode> mode;
    ObjectState state = ObjectState::there;
    bool named_anew = false, changed = false;  // compared with name and mode at birth
  };

  FinalStates() = default;
  // Reads the run once.
  explicit FinalStates(const reader::Run& run);

  // The state of the object that this event created. An object without later events is as it was
  // created.
  State of(const CreateEvent& event) const;

 private:
  void add(const ObjectLife& life);

  std::unordered_map<std::uint64_t, State> states_;  // by the creation's seq
  std::vector<bool> gone_;                           // by the creation's seq
};

}  // namespace umaskaudit

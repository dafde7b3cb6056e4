// What became of the objects of a run, for those who list creations one by one: known before the
// first of them is listed. Memory is bounded by the objects that were renamed or changed.
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
    std::string path;  // the name at the end, or the last one
    std::optional<Mode> mode;
    ObjectState state = ObjectState::there;
    bool named_anew = false, changed = false;  // against the name and the mode at birth
  };

  FinalStates() = default;
  // Reads the run once.
  explicit FinalStates(const Run& run);

  // Of what this event created. An object that no later event named is as it was born.
  State of(const CreateEvent& event) const;

 private:
  void add(const ObjectLife& life);

  std::unordered_map<std::uint64_t, State> states_;  // by the creation's seq
  std::vector<bool> gone_;                           // by the creation's seq
};

}  // namespace umaskaudit

// Refusal: explains why a creation failed, if a directory that the run itself created is the
// reason.
// Must never name a directory that everyone may enter and write, nor say who the caller was: a
// program changes its user without a record.
#pragma once

#include <optional>
#include <string>

#include "reporter/objects/object_lives.h"

namespace umaskaudit {

struct Refusal {
  std::string directory;        // its name now
  Mode mode = 0;                // at that moment
  bool directly_above = false;  // the new object would be in it, so it must be writable
  Mode born_mask = 0;           // the mask at its creation
  std::string_view changed_by;  // the call that set `mode`; empty: its creation
};

// For a creation that failed with EACCES, when `lives` has seen all events before it.
std::optional<Refusal> refusal_of(const CreateEvent& event, const ObjectLives& lives);

}  // namespace umaskaudit

// Why a creation was refused, as far as a directory above explains it that the run made itself.
// Must never accuse a directory that anybody may enter and write, nor say who the caller was: a
// program changes its user without a record.
#pragma once

#include <optional>
#include <string>

#include "reporter/objects/object_lives.h"

namespace umaskaudit {

struct Refusal {
  std::string directory;        // its name now
  Mode mode = 0;                // at that moment
  bool directly_above = false;  // what was to be made lies in it: it must be written, too
  Mode born_mask = 0;           // under which it was born with `mode`
  std::string_view changed_by;  // the call that gave it `mode`; empty: it was born with it
};

// Of a creation that failed with EACCES, at the moment when `lives` has seen all events before it.
std::optional<Refusal> refusal_of(const CreateEvent& event, const ObjectLives& lives);

}  // namespace umaskaudit

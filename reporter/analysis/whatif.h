// What another mask would have done to the objects of a run.
// Must never compute a mask or a mode for itself: the replay and the calculus do.
// Called by `whatif`.
#pragma once

#include <cstdint>
#include <vector>

#include "reporter/analysis/final_objects.h"

namespace umaskaudit {

struct WhatIfObject {
  FinalObject object;
  Mode mask = 0;  // that it would have been made under
  Mode mode = 0;  // that the run would have left it with
};

struct WhatIf {
  Mode mask = 0;                // of --umask
  bool everywhere = false;      // in the place of the program's own masks too
  std::vector<Mode> inherited;  // that the run's first processes had
  std::vector<WhatIfObject> changed;
  std::vector<FinalObject> unpredictable;  // what set their modes is not known, or not the mask
  // Objects that keep their mode, each counted for the first reason that holds.
  std::uint64_t settled = 0;   // a chmod decides, whatever the mask
  std::uint64_t acl = 0;       // a default ACL takes the mask's place
  std::uint64_t own_mask = 0;  // the program set the mask, and would set it again
  std::uint64_t same = 0;      // the mask changes, the mode does not
  std::uint64_t objects = 0;   // in all
};

// Works it out for one object and files it.
void classify(WhatIf& whatif, FinalObject object, Mode mask);

}  // namespace umaskaudit

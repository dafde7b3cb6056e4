// WhatIf: the objects of a run under another mask.
// Must never compute a mask or a mode itself: the replay and the calculus do.
#pragma once

#include <cstdint>
#include <vector>

#include "reporter/analysis/final_objects.h"

namespace umaskaudit::analysis {

struct WhatIfObject {
  FinalObject object;
  Mode mask = 0;  // mask at its creation
  Mode mode = 0;  // mode at the end of the run
};

struct WhatIf {
  Mode mask = 0;                // the value of --umask
  bool everywhere = false;      // also replaces masks that the program set
  std::vector<Mode> inherited;  // by the first processes of the run
  std::vector<WhatIfObject> changed;
  std::vector<FinalObject> unpredictable;  // the mode was not set by the mask, or in an unknown way
  // Objects that keep their mode, each counted for the first reason that applies.
  std::uint64_t settled = 0;   // a chmod set it
  std::uint64_t acl = 0;       // a default ACL replaced the mask
  std::uint64_t own_mask = 0;  // the program set the mask, and would set it again
  std::uint64_t same = 0;      // another mask with the same mode
  std::uint64_t objects = 0;   // total
};

// Classifies one object and adds it.
void classify(WhatIf& whatif, FinalObject object, Mode mask);

}  // namespace umaskaudit::analysis

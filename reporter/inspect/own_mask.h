// The mask of this very process, without changing it for a moment.
// Called by `umask` and `explain`, whose caller's mask it is by inheritance.
#pragma once

#include "reporter/base/result.h"
#include "reporter/mode/calculus.h"

namespace umaskaudit {

// From /proc; without it, a forked child reads its own copy the only way umask(2) has. Error: no
// /proc, and no process could be made.
Result<Mode> own_mask();

}  // namespace umaskaudit

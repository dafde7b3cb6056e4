// Reads the mask of this process without changing it even for a moment. It is inherited from the
// caller.
#pragma once

#include "reporter/base/result.h"
#include "reporter/mode/calculus.h"

namespace umaskaudit::inspect {

// From /proc; without it, by umask(2) in a forked child. Error: no /proc, and fork(2) failed.
Result<Mode> own_mask();

}  // namespace umaskaudit::inspect

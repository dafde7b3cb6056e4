// The facts of a directory on disk that affect the modes of objects created in it. Must never
// follow or change anything in it.
#pragma once

#include <string>

#include "reporter/base/result.h"
#include "reporter/mode/calculus.h"

namespace umaskaudit::inspect {

// Mode, group, default ACL and filesystem. Error: no directory, or it cannot be looked at.
Result<ParentFacts> read_parent(const std::string& directory);

// Whether this process would lose S_ISGID on a file that it creates there: not in the directory's
// group, and not root.
bool foreign_group(const ParentFacts& parent);

}  // namespace umaskaudit::inspect

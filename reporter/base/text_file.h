// A small file of the user's, read whole: policy, suppressions, baseline.
// Must never follow a file without end: the size is capped.
// Called by the readers of those three.
#pragma once

#include <string>

#include "reporter/base/result.h"

namespace umaskaudit::rules {

// `what` names it in messages: "cannot read the policy 'x'". Errors are usage errors.
Result<std::string> read_text_file(const std::string& path, const std::string& what);

}  // namespace umaskaudit::rules

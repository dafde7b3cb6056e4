// Reads a small file of the user's as a whole: policy, suppressions, baseline.
// Must never read an endless file: the size is limited.
#pragma once

#include <string>

#include "reporter/base/result.h"

namespace umaskaudit {

// `what` names it in messages: "cannot read the policy 'x'". Errors are usage errors.
Result<std::string> read_text_file(const std::string& path, const std::string& what);

}  // namespace umaskaudit

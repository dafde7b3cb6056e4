// Recognizes files that hold secrets by their names.
// Must never look at contents. Called by the exposure checks; users add names by the policy file.
#pragma once

#include <string>
#include <vector>

namespace umaskaudit::rules {

enum class Secrecy { none, likely, certain };

// By the last component of `path`. `more`: globs that are certain, too.
Secrecy secrecy_of(const std::string& path, const std::vector<std::string>& more);

}  // namespace umaskaudit::rules

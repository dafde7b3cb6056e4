// The object that a user names by a path on the command line.
// Must never open it: stat(2) and readlink(2) are all that it is looked at by.
#pragma once

#include <string>

#include "reporter/analysis/object_history.h"

namespace umaskaudit {

// `path` made absolute, without "." and "..", symbolic links as they are, and what is there on
// disk.
ObjectQuery query_of(const std::string& path, const Run& run);

}  // namespace umaskaudit

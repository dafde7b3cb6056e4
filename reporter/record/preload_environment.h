// Finds libumaskaudit.so, and makes the environment that loads it into a program.
// Must never drop the user's own LD_PRELOAD entries, nor a variable of the user's.
#pragma once

#include <string>
#include <vector>

#include "reporter/base/result.h"

namespace umaskaudit::record {

// Overrides the search; for tests and unusual installations.
inline constexpr char kLibraryVariable[] = "UMASKAUDIT_LIBRARY";

// The absolute path of libumaskaudit.so: from UMASKAUDIT_LIBRARY, the build directory that this
// executable is in, or the library directory of its installation.
Result<std::string> find_library();

// The options of `run` that the library gets.
struct ShimOptions {
  std::string directory;            // absolute
  std::vector<std::string> values;  // "key=value"
};

// The caller's environment with LD_PRELOAD and UMASKAUDIT_OPTIONS extended. `library`: a path that
// LD_PRELOAD can hold (PreloadPath). Error: a directory that the option list cannot hold.
Result<std::vector<std::string>> preload_environment(const std::string& library,
                                                     const ShimOptions& options);

}  // namespace umaskaudit::record

// Where libumaskaudit.so is, and the environment that makes a program load it.
// Must never drop what the user preloads already, nor a variable of the user's.
// Called by `run` and `doctor`.
#pragma once

#include <string>
#include <vector>

#include "reporter/base/result.h"

namespace umaskaudit {

// Overrides the search below; for tests and for libraries in unusual places.
inline constexpr char kLibraryVariable[] = "UMASKAUDIT_LIBRARY";

// The absolute path of libumaskaudit.so: UMASKAUDIT_LIBRARY, the build folder that this executable
// is part of, the library folder it was installed with.
Result<std::string> find_library();

// What `run` was asked for, as options of the library.
struct ShimOptions {
  std::string directory;            // absolute
  std::vector<std::string> values;  // "key=value"
};

// The caller's environment with LD_PRELOAD and UMASKAUDIT_OPTIONS extended. `library`: a name that
// LD_PRELOAD can carry (PreloadPath). Error: a directory that the option list cannot carry.
Result<std::vector<std::string>> preload_environment(const std::string& library,
                                                     const ShimOptions& options);

}  // namespace umaskaudit

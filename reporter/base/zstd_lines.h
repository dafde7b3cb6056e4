// Reads the lines of a file that zstd(1) compressed.
// Must never hold more of a file than one line, nor accept a truncated file.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "reporter/base/result.h"

namespace umaskaudit {

// Calls `visit` for each line, without its newline, until that returns false. Errors: not readable,
// not zstd, truncated, or a line longer than 16 MiB; `visit` was then called for the lines before.
Status for_each_zstd_line(const std::string& path,
                          const std::function<bool(std::string_view line)>& visit);

}  // namespace umaskaudit

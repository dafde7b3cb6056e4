// The lines of a file that zstd(1) compressed.
// Must never hold more of a file than a line, nor believe a file that ends in the middle.
// Called by who reads what other machines have written.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "reporter/base/result.h"

namespace umaskaudit {

// Calls `visit` for each line, without its newline, until that returns false. Errors: it cannot be
// read, is not compressed so, is cut off, or a line is longer than 16 MiB. The lines before came.
Status for_each_zstd_line(const std::string& path,
                          const std::function<bool(std::string_view line)>& visit);

}  // namespace umaskaudit

// Copies one segment file while it is being written.
// Must never trust a number in the file beyond its size.
#pragma once

#include <cstdint>

#include "reporter/base/result.h"

namespace umaskaudit::record {

// Descriptors of the segment and of its copy, which is empty. Returns how many bytes were written;
// zeros stay holes. Error: only `why` is set.
Result<std::uint64_t> copy_segment(int from, int to);

}  // namespace umaskaudit::record

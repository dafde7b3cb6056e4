// One segment file, copied while it is written.
// Must never believe a number of the file further than its size. Of snapshot.cc.
#pragma once

#include <cstdint>

#include "reporter/base/result.h"

namespace umaskaudit {

// Descriptors of the segment and of its copy, which is empty. Returns how many bytes were written;
// what is zero stays a hole. Error: `why` alone.
Result<std::uint64_t> copy_segment(int from, int to);

}  // namespace umaskaudit

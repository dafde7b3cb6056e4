// The one frame of a stack that people want to see.
// Must never look at a file: frames are symbolised already.
#pragma once

#include <string>
#include <vector>

#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit {

// The innermost frame that is not the shim's, libc's or the C++ run time's: the code that did it.
// The innermost of all when every frame is theirs; null for an empty stack.
const Frame* culprit(const std::vector<Frame>& stack);

// The name behind the last slash.
std::string base_name(const std::string& path);

}  // namespace umaskaudit

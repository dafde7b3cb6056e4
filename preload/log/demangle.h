// Demangles C++ function names for the live log.
// Must never take memory or fail: a name that it cannot parse stays as it is. It knows plain and
// nested names, constructors and destructors; the reporter has the whole grammar.
#pragma once

#include <cstddef>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

// Appends "cfg::read_umask" for "_ZN3cfg10read_umaskEv", escaped; other names unchanged.
void put_function_name(TextBuffer& text, const char* name, std::size_t length);

}  // namespace umaskaudit::shim

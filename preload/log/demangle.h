// Names of C++ functions as their programmer wrote them, for the live log.
// Must never take memory or fail: what it does not understand stays as it is. The reporter has all
// of the grammar; this one knows plain and nested names, constructors and destructors.
#pragma once

#include <cstddef>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

// Puts "cfg::read_umask" for "_ZN3cfg10read_umaskEv", escaped; other names as they are.
void put_function_name(TextBuffer& text, const char* name, std::size_t length);

}  // namespace umaskaudit::shim

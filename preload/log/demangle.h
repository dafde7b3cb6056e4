// Demangles C++ function names for the live log.
// Must never take memory, recurse or fail: a name that it does not understand to its end stays as
// it is. It writes names, operators, lambdas and local functions; of what is between angle brackets
// and of parameters it says no more than "...", and the reporter has the whole grammar.
#pragma once

#include <cstddef>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

// Appends "cfg::Box<...>::read" for "_ZN3cfg3BoxIiE4readEv", escaped; other names unchanged. Of a
// name that was cut, what is there is shown, if there is any. Safe in signal handlers.
void put_function_name(TextBuffer& text, const char* name, std::size_t length, bool cut = false);

}  // namespace umaskaudit::shim

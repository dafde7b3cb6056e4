// Recognises language runtimes that read the umask by setting it, on their own.
// Must never use a symbol, because stripped runtimes do it too. Passed to the rules by the
// commands.
#pragma once

#include <string>

#include "reporter/events/stack_source.h"

namespace umaskaudit::analysis {

// "node", "dash": the interpreter in whose code, called once, both umask calls were made in a row.
// Empty: none. Python's two os.umask() calls are made by the same instruction, which is executed
// twice.
std::string runtime_idiom(const StackSource& source, StackRef sets, StackRef restores);

}  // namespace umaskaudit::analysis

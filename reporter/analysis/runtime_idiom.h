// Which runtime of a language reads the umask by setting it, of its own accord.
// Must never look at a symbol: stripped runtimes do it, too. Given to the rules by the commands.
#pragma once

#include <string>

#include "reporter/events/stack_source.h"

namespace umaskaudit {

// "node", "dash": the interpreter in whose code, called once, both umask calls were made, one
// behind the other. Empty: there is none such. Python's two os.umask() are made by one and the same
// instruction, called twice.
std::string runtime_idiom(const StackSource& source, StackRef sets, StackRef restores);

}  // namespace umaskaudit

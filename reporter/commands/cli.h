// The command line as a whole: from arguments to an exit code.
// Must never print a usage page unasked: a mistake gets one line that names it and the next step.
#pragma once

#include <string>
#include <vector>

#include "reporter/base/console.h"

namespace umaskaudit::commands {

// Runs `umaskaudit ARGS...` (without the program's own name) and returns its exit code.
int run_cli(const std::vector<std::string>& args, Console& console);

}  // namespace umaskaudit::commands

// `report --follow`: the events of a run while it is recorded, as JSON Lines.
// Must never hold an event back for long, nor print findings: those need the whole run.
// Called by `report`.
#pragma once

#include <cstddef>

#include "reporter/commands/run_arguments.h"

namespace umaskaudit {

// `limit`: lines at most (0: all), but for what could not be seen. Returns the exit code.
int follow_report(RunArguments& arguments, std::size_t limit, Console& console);

}  // namespace umaskaudit

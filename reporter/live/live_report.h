// `report --follow`: the events of a run while it is recorded, as JSON Lines.
// Must never hold an event back for long, nor print findings: those need the whole run.
#pragma once

#include <cstddef>

#include "reporter/commands/run_arguments.h"

namespace umaskaudit::live {

struct FollowOptions {
  std::size_t limit = 0;       // events at most, but for what could not be seen; 0: all
  bool expand_stacks = false;  // JsonLines
};

// Returns the exit code.
int follow_report(commands::RunArguments& arguments, const FollowOptions& options,
                  Console& console);

}  // namespace umaskaudit::live

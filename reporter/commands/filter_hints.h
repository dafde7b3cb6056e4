// Hints where a filter selects nothing: which part of it matches nothing, and what would match.
// Must never change what is selected, nor an exit code.
#pragma once

#include <string>

#include "reporter/base/console.h"
#include "reporter/commands/run_arguments.h"

namespace umaskaudit::commands {

// Warns on console.err, a line for each part of `arguments.filter` that matches nothing in the run,
// with the nearest thing that does; nothing where it selects an event, not counting those that no
// filter drops. `of_findings`: also where --rule and --severity leave no finding. Reads the run
// once more, up to the first event that is selected.
void warn_of_empty_filter(Console& console, OpenedRun& opened, const RunArguments& arguments,
                          bool of_findings = true);

// The name of an object of the run that is nearest to `path` (absolute), relative to where the run
// began; empty: none is near.
std::string nearest_object(const OpenedRun& opened, const std::string& path);

}  // namespace umaskaudit::commands

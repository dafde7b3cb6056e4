// The summary that `run` prints on standard error when CMD has ended.
// Must never fail the run: a trace that cannot be read is a warning here.
#pragma once

#include "reporter/base/console.h"
#include "reporter/record/run_directory.h"

namespace umaskaudit::commands {

// `growing`: how many segments may still be written to.
void print_run_summary(Console& console, const record::RunDirectory& run, unsigned growing);

}  // namespace umaskaudit::commands

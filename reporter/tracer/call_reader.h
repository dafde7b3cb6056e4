// A call at its entry: what it was passed, and whether it is of interest.
// Must never change a register or a byte of the program.
#pragma once

#include "reporter/tracer/tracee.h"

namespace umaskaudit::tracer {

// Fills `task.call` from `task.call.row` and its arguments. False: it can neither create, rename,
// permit nor change a mask.
bool read_call(Task& task, bool kernel_tells_creations);

// The name, directory and second name of `call`, as process_view.h has them.
int directory_of(const PendingCall& call);
int second_directory_of(const PendingCall& call);

}  // namespace umaskaudit::tracer

// Reads a call at its entry: its arguments, and whether it has to be recorded.
// Must never change a register or a byte of the program.
#pragma once

#include "reporter/tracer/tracee.h"

namespace umaskaudit::tracer {

// Fills `task.call` from `task.call.row` and the arguments. False: it cannot create or rename
// anything, nor change a mode or a mask.
bool read_call(Task& task, bool kernel_tells_creations);

// The path, directory and second path of `call`, for the functions of process_view.h.
int directory_of(const PendingCall& call);
int second_directory_of(const PendingCall& call);

}  // namespace umaskaudit::tracer

// A program that is about to run, or has just been loaded: who can see it.
// Must never execute or map the file. Called by the tracer for a task that it has stopped.
#pragma once

#include <sys/types.h>

#include <string>

#include "reporter/tracer/process_view.h"

namespace umaskaudit::tracer {

// Whether the loader of the image that the stopped task has just executed will load the library:
// there is a loader, it is one that can (ld.so(8), musl's), the environment names `library`, and
// the file is there. Before the image's first instruction.
bool loads_library(pid_t tid, const std::string& library);

// Whether executing the file gives other rights than the task has, which the kernel withholds from
// a task whose tracer lacks CAP_SYS_PTRACE (execve(2)).
bool gains_rights(pid_t tid, const Place& program);

}  // namespace umaskaudit::tracer

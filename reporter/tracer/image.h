// Whether a program that is about to run, or was just executed, will load the library.
// Must never execute or map the file. For a task that the tracer has stopped.
#pragma once

#include <sys/types.h>

#include <string>

#include "reporter/tracer/process_view.h"

namespace umaskaudit::tracer {

// Whether the loader of the image that the stopped task has just executed will load the library:
// there is a loader that supports it (ld.so(8), musl's), the environment names `library`, and the
// file exists. Before the image's first instruction.
bool loads_library(pid_t tid, const std::string& library);

// Whether executing the file grants privileges, which the kernel withholds from a task whose tracer
// lacks CAP_SYS_PTRACE (execve(2)).
bool gains_rights(pid_t tid, const Place& program);

}  // namespace umaskaudit::tracer

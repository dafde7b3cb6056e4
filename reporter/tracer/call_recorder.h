// A call that has returned, as a record.
// Must never take the word of the program for what the kernel did: modes come from statx(2), masks
// from umask(2)'s result.
#pragma once

#include "reporter/tracer/tracee.h"

namespace umaskaudit::tracer {

// The id of the task's context in its segment; its record is written there first if need be.
std::uint32_t context_id(const Task& task, trace::Origin origin = trace::Origin::unknown,
                         const FsContext* parent = nullptr);

// Everything that `task.call` did, `result` being what the kernel returned (-errno for an error).
// Changes the context for umask(2).
void record_result(Task& task, std::int64_t result);

// Before its new image: what was executed.
void record_exec(Task& task);

}  // namespace umaskaudit::tracer

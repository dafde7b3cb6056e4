// Records a call that has returned.
// Must never use the program's memory for what the kernel did: modes come from statx(2), masks from
// umask(2)'s result.
#pragma once

#include "reporter/tracer/tracee.h"

namespace umaskaudit::tracer {

// The id of the task's context in its segment; writes its record first if needed.
std::uint32_t context_id(const Task& task, trace::Origin origin = trace::Origin::unknown,
                         const FsContext* parent = nullptr);

// Records all effects of `task.call`; `result` is what the kernel returned (-errno for an error).
// Updates the context for umask(2).
void record_result(Task& task, std::int64_t result);

// At the entry of chown(2): the bits that the call may take from the task's object; 0: none.
std::uint32_t set_id_bits(const Task& task);

// Records the executed file, before the new image's record.
void record_exec(Task& task);

}  // namespace umaskaudit::tracer

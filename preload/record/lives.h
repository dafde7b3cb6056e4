// keep=latest: which records of processes and threads are still of use.
// Without this they would be kept for ever, and a service that forks a child for each request would
// fill the room of kept records with children that ended long ago.
#pragma once

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// True for a record that introduces a process, a thread, or the fs context of one, which still
// exists (kill(2) with signal 0). False where the kernel does not say, and for all other records.
// Async-signal-safe; keeps errno.
bool introduces_living(const trace::RecordHeader& record);

}  // namespace umaskaudit::shim

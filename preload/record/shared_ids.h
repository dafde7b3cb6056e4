// SharedIds: what forked children need not write to the trace again, with keep=latest.
// A child's InternTables are copies: what one child writes, the next one would write again, and
// what later records refer to is never dropped. So the ids of records whose meaning does not depend
// on the process are found here, in memory that a process shares with all that it forks.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// Maps the table. Without it (no memory) nothing is found. Called once, before the first fork.
void start_sharing_ids();

// The id that was shared for this hash of the record's content; 0: none. Both are lock-free, and
// safe in signal handlers, forked and vfork children.
std::uint32_t find_shared_id(trace::IdSpace space, std::uint64_t hash);
// Publishes the id of a record that has been written. No effect when its places are taken.
void share_id(trace::IdSpace space, std::uint64_t hash, std::uint32_t id);

}  // namespace umaskaudit::shim

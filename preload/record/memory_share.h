// Limits the size of a trace on a filesystem in memory.
// Must never let the program be killed for our memory: pages of tmpfs(5) count against the limit of
// the control group that wrote them, and the kernel kills when it cannot reclaim (cgroups(7)).
// Called by chunks.cc, before a segment takes its second chunk.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

bool is_memory(unsigned long filesystem);  // statfs(2), f_type

// An eighth of the smallest limit of the process's memory control groups, but at least `least`.
// UINT64_MAX: no limit is known. False: it could not be read now. Async-signal-safe; no other
// thread sees a descriptor (own_table.h).
bool read_share_of_memory(std::uint64_t least, std::uint64_t& share);

}  // namespace umaskaudit::shim

// How much of a filesystem in memory a trace may fill.
// Must never have a program ended for what we wrote: pages of tmpfs(5) count against the limit of
// its control group, and the kernel kills where nothing can be reclaimed (cgroups(7)).
// Called by chunks.cc, before a segment takes more than its first chunk.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

bool is_memory(unsigned long filesystem);  // statfs(2), f_type

// An eighth of the smallest limit of the process's memory control groups, but at least `least`.
// UINT64_MAX: none is known. False: it could not be asked now. Async-signal-safe; no other thread
// sees a descriptor (own_table.h).
bool read_share_of_memory(std::uint64_t least, std::uint64_t& share);

}  // namespace umaskaudit::shim

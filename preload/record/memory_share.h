// How much of a filesystem in memory a trace may fill.
// Must never have a program ended for what we wrote: pages of tmpfs(5) count against the limit of
// its control group, and the kernel kills where nothing can be reclaimed (cgroups(7)).
// Called by segment.cc, once, when a segment is opened.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// An eighth of the smallest limit of the process's memory control groups, but at least `least`.
// UINT64_MAX: none is known, or `directory` does not lie in memory.
std::uint64_t share_of_memory(int directory, std::uint64_t least);

}  // namespace umaskaudit::shim

// Builds the seccomp filter that stops system calls by the address of their instruction.
// Must never stop a call by libc or by us, or one that is not in inline_calls.def. Pure.
#pragma once

#include <cstdint>

struct sock_filter;

namespace umaskaudit::shim {

// The greatest number of addresses in a filter; with more, the whole process is traced.
inline constexpr unsigned kMostCallSites = 256;
inline constexpr unsigned kLongestCallFilter = 6 * kMostCallSites + 256;

// `calls`: one bit for each row of trace/inline_calls.def. `sites`: the addresses after the
// instructions. The filter tests the number first, so that the kernel can cache which numbers
// always pass; then the flags of an open; then the address. Returns the length.
unsigned write_call_filter(std::uint64_t calls, const std::uintptr_t* sites, unsigned count,
                           sock_filter* filter);

}  // namespace umaskaudit::shim

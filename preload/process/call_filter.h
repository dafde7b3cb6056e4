// The seccomp filter that stops system calls by where they are made.
// Must never stop a call of libc, of our own, or one whose number does not matter. Pure.
// Called by inline_calls.cc.
#pragma once

#include <cstdint>

struct sock_filter;

namespace umaskaudit::shim {

// The most addresses that a filter is made for; more mean that a whole process is to be traced.
inline constexpr unsigned kMostCallSites = 256;
inline constexpr unsigned kLongestCallFilter = 6 * kMostCallSites + 256;

// `calls`: one bit for each row of trace/inline_calls.def. `sites`: where the processor goes on
// after the instruction. The number is asked first, so that the kernel remembers which numbers
// always pass; then the flags of an open; then the address. Returns the length.
unsigned write_call_filter(std::uint64_t calls, const std::uintptr_t* sites, unsigned count,
                           sock_filter* filter);

}  // namespace umaskaudit::shim

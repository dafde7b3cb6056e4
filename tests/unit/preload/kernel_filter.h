// What the kernel makes of a seccomp filter: the verdict for every system call number, found by
// trying in a child. No call is ever carried out: verdicts are turned into two errno values.
#pragma once

#include <linux/filter.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace umaskaudit::testing_support {

using Filter = std::vector<sock_filter>;
using Verdicts = std::array<bool, 512>;  // true: the call would have been made

// uretprobe and uprobe (x86-64, Linux 6.11 and later): they pass without a filter's being asked,
// and kill a program that calls them itself. They are not tried.
inline bool is_asked(unsigned number) { return number != 335 && number != 336; }

// Each call is tried with `argument` in all six places. Nothing: the kernel refused the filter.
// The filter must return constants only.
std::optional<Verdicts> ask_kernel(const Filter& filter, std::uint64_t argument);

// Installs `filter` as it is in a forked child, runs `body` there, and gives what it returned; -1
// when the filter could not be installed or killed the child.
int run_under(const Filter& filter, int (*body)());

}  // namespace umaskaudit::testing_support

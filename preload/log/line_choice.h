// Which lines of the live log somebody wants to read: log_path=, log_repeats=.
// Must never take memory or wait; async-signal-safe, from any thread.
#pragma once

#include <cstdint>

#include "preload/record/recorder.h"
#include "preload/stack/stacks.h"

namespace umaskaudit::shim {

// Whether `path` matches `pattern`: '*' any bytes, '?' one, as fnmatch(3) without flags and
// brackets, which is of libc and may take memory.
bool matches(const char* pattern, const char* path, std::uint32_t length);

// How often this thread has made this change from this place, with this one: 1 for the first time,
// or where there is no more room to count. Forked children count for themselves.
std::uint64_t count_change(const Author& author, const trace::Umask& change,
                           const CapturedStack& stack);
// 1, 10, 100 and so on: the times that get a line.
bool is_told(std::uint64_t times);

}  // namespace umaskaudit::shim

// Selects the lines of the live log: log_path=, log_repeats=.
// Must never take memory or wait; async-signal-safe, from any thread.
#pragma once

#include <cstdint>

#include "preload/record/recorder.h"
#include "preload/stack/stacks.h"

namespace umaskaudit::shim {

// Whether `path` matches `pattern`: '*' any bytes, '?' one, like fnmatch(3) without flags and
// brackets, which may allocate.
bool matches(const char* pattern, const char* path, std::uint32_t length);

// How often this thread has made this change from this call site, including this time: 1 for the
// first time, or where no slot is free. Forked children count on their own.
std::uint64_t count_change(const Author& author, const trace::Umask& change,
                           const CapturedStack& stack);
// 1, 10, 100 and so on: the repetitions that are logged.
bool is_told(std::uint64_t times);

}  // namespace umaskaudit::shim

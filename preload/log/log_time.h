// Formats times of the log in UTC, which needs no time zone file. Async-signal-safe.
#pragma once

#include <cstdint>

#include "preload/sys/format_text.h"

namespace umaskaudit::shim {

// All take nanoseconds since 1970 (CLOCK_REALTIME).
void put_time_of_day(TextBuffer& text, std::uint64_t real_ns);  // "11:31:15.123456Z"
void put_timestamp(TextBuffer& text, std::uint64_t real_ns);    // "2026-11-30T11:31:15.123456Z"
void put_syslog_time(TextBuffer& text, std::uint64_t real_ns);  // "Nov  3 11:31:15", RFC 3164

}  // namespace umaskaudit::shim

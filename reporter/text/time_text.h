// Formats times, durations, sizes and counts for people.
// Must never depend on the time zone or the locale: reports are compared across machines.
#pragma once

#include <cstdint>
#include <string>

namespace umaskaudit {

// Three significant digits and a unit: "850 ns", "12.3 us", "4.56 ms", "1.23 s", "2 min 05 s".
std::string duration_text(std::uint64_t ns);

// "2026-11-21 21:00:00 UTC" for CLOCK_REALTIME nanoseconds.
std::string utc_text(std::uint64_t real_ns);
// Its day alone: "2026-11-21".
std::string utc_date(std::uint64_t real_ns);

// "+0.001234" seconds since `begin_ns`; "-" marks a moment before it.
std::string offset_text(std::uint64_t time_ns, std::uint64_t begin_ns);

// "48 KiB", "1.2 MiB": bytes by powers of 1024, as du -h counts them.
std::string size_text(std::uint64_t bytes);

// "26,867": digits in groups of three, from five digits on.
std::string grouped(std::uint64_t count);

// "1 file", "2 files".
std::string counted(std::uint64_t count, const char* noun);

}  // namespace umaskaudit

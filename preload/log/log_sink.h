// Where the lines of the live log go: descriptor 2 of the program, a file, a syslog daemon, the
// journal.
// Must never keep a descriptor, open one where the program could see it, follow a symbolic link to
// the log, or write to a file that merely inherited descriptor 2. What cannot be written is
// counted. Called by live_log.cc and the start.
#pragma once

#include <cstdint>

#include "preload/sys/format_text.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

// True when log= names a file.
bool log_is_file();

// Remembers where the log goes; descriptor 2 is remembered as the file it is now, a file is made.
void open_log();

enum class LogPlace : std::uint8_t { program, file, syslog, journal };
LogPlace log_place();

// As of syslog(3).
enum class Urgency : std::uint8_t { warning = 4, info = 6 };

// Whole lines; for the journal, one entry. Async-signal-safe.
void emit_lines(TextBuffer& text, const sys::WithoutSignals& blocked,
                Urgency urgency = Urgency::info);

// A line that there was no memory for.
void count_dropped_line();

// For lines that are not the log's: on descriptor 2, whatever it is.
void write_to_stderr(TextBuffer& text);

}  // namespace umaskaudit::shim

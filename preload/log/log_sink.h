// Writes the lines of the live log to descriptor 2 of the program, a file, a syslog daemon or the
// journal.
// Must never keep a descriptor, open one where the program could see it, follow a symbolic link to
// the log, or write to a file that merely inherited the number 2. Lines that cannot be written are
// counted.
#pragma once

#include <cstdint>

#include "preload/sys/format_text.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

// True when log= names a file.
bool log_is_file();

// Stores where the log goes. Descriptor 2 is identified by its file; a log file is created.
void open_log();

enum class LogPlace : std::uint8_t { program, file, syslog, journal };
LogPlace log_place();

// The severities of syslog(3).
enum class Urgency : std::uint8_t { warning = 4, info = 6 };

// Writes whole lines; for the journal, one entry. Async-signal-safe.
void emit_lines(TextBuffer& text, const sys::WithoutSignals& blocked,
                Urgency urgency = Urgency::info);

// Counts a line that there was no buffer for.
void count_dropped_line();

// Writes lines that do not belong to the log to descriptor 2, whatever file that is.
void write_to_stderr(TextBuffer& text);

}  // namespace umaskaudit::shim

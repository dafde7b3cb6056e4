// Where the lines of the live log go: descriptor 2 of the program, or a file.
// Must never keep a descriptor, open one where the program could see it, follow a symbolic link to
// the log, or write to a file that merely inherited descriptor 2. What cannot be written is
// counted. Called by livelog.cc and the start.
#pragma once

#include "preload/sys/format_text.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

// True when log= names a file.
bool log_is_file();

// Remembers where the log goes; descriptor 2 is remembered as the file it is now, a file is made.
void open_log();

// Whole lines. Async-signal-safe.
void emit_lines(TextBuffer& text, const sys::WithoutSignals& blocked);

// A line that there was no memory for.
void count_dropped_line();

// For lines that are not the log's: on descriptor 2, whatever it is.
void write_to_stderr(TextBuffer& text);

}  // namespace umaskaudit::shim

// Writes lines to a descriptor without side effects on the program: it never waits for a reader,
// raises no signal, stops no background job, and leaves the file status flags alone, which other
// processes may share (fcntl(2), F_SETFL).
#pragma once

#include <cstddef>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

struct WriteTarget {
  // Signals are blocked for the scope: a handler that jumps out would leave signals pending that we
  // raised. While SIGTTOU is blocked, a background job may write to its terminal without being
  // stopped (termios(3)).
  const sys::WithoutSignals& blocked;
  int fd;
  unsigned mode;       // st_mode of the file
  bool nonblocking;    // opened by us with O_NONBLOCK
  bool private_table;  // in run_in_own_table(): a descriptor opened here is invisible
};

enum class Written { all, none, torn };

// `text` is whole lines. A regular file takes them in one write(2); anything else in pieces of at
// most PIPE_BUF bytes that end with a line, which a pipe takes whole or not at all (pipe(7)). none:
// there was no room for some of the lines. torn: the last byte written is not the end of a line.
// Async-signal-safe.
Written write_quietly(const WriteTarget& target, const char* text, std::size_t length);

}  // namespace umaskaudit::shim

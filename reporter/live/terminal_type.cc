#include "reporter/live/terminal_type.h"

#define NCURSES_NOMACROS 1
#include <curses.h>
#include <term.h>
#include <unistd.h>

namespace umaskaudit::live {

bool can_move_cursor(int fd) {
  int known = 0;
  // With a place for the answer setupterm(3NCURSES) does not end the process where it knows none.
  if (isatty(fd) == 0 || setupterm(nullptr, fd, &known) != OK || known != 1) return false;
  return cursor_address != nullptr;
}

}  // namespace umaskaudit::live

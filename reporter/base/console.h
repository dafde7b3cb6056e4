// Console: the streams that a command writes to, whether they may be coloured, and how wide they
// are.
// Must never decide what is written. Made once by main; tests make their own over string streams.
#pragma once

#include <cstddef>
#include <iosfwd>

namespace umaskaudit {

enum class Verbosity { quiet, normal, verbose };
enum class ColourWhen { automatic, always, never };

struct Console {
  std::ostream& out;  // the result of the command
  std::ostream& err;  // diagnostics and the summary of `run`
  bool out_tty = false;
  bool err_tty = false;
  bool out_colour = false;
  bool err_colour = false;
  std::size_t width = 0;   // columns of `out`; 0: no limit
  std::size_t height = 0;  // rows of its terminal; 0: unknown
  // errno of the write to `out` that failed; 0: unknown, or none did.
  int (*out_error)() = [] { return 0; };
  Verbosity verbosity = Verbosity::normal;
};

// Standard output and error of this process: isatty(3), COLUMNS, the terminal's size, and the
// variables that decide_colour() names.
Console process_console();

// Columns of `console.err`; 0: no limit.
std::size_t error_columns(const Console& console);

// Replaces both colour decisions, for --color=WHEN; `automatic` leaves them.
void set_colour(Console& console, ColourWhen when);

// The setting for a stream: NO_COLOR (not empty) forbids colour, CLICOLOR_FORCE (not empty, not
// "0") enables it even in a pipe; else a terminal that is not "dumb" gets it. Null pointers mean
// unset variables.
bool decide_colour(bool tty, const char* no_color, const char* clicolor_force, const char* term);

// COLUMNS when it is a number between 20 and 10000, else `terminal_columns` (0 when none).
std::size_t decide_width(const char* columns, std::size_t terminal_columns);

}  // namespace umaskaudit

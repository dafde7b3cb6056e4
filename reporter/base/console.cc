// Decides on colour and width; see console.h.
// Must never read other variables of the environment than the header names, nor write anything.
#include "reporter/base/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <ostream>

#include "reporter/base/descriptor_buffer.h"

namespace umaskaudit {
namespace {

bool wants_colour(bool tty) {
  return decide_colour(tty, std::getenv("NO_COLOR"), std::getenv("CLICOLOR_FORCE"),
                       std::getenv("TERM"));
}

winsize terminal_size(int descriptor) {
  winsize size{};
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size : winsize{};
}

}  // namespace

bool decide_colour(bool tty, const char* no_color, const char* clicolor_force, const char* term) {
  // no-color.org: "when present and not an empty string", and before every other setting.
  if (no_color != nullptr && *no_color != '\0') return false;
  if (clicolor_force != nullptr && *clicolor_force != '\0' && std::strcmp(clicolor_force, "0") != 0)
    return true;
  return tty && term != nullptr && std::strcmp(term, "dumb") != 0;
}

std::size_t decide_width(const char* columns, std::size_t terminal_columns) {
  if (columns != nullptr) {
    std::size_t value = 0;
    const char* end = columns + std::strlen(columns);
    const auto [stop, error] = std::from_chars(columns, end, value);
    if (error == std::errc() && stop == end && value >= 20 && value <= 10000) return value;
  }
  return terminal_columns;
}

Console process_console() {
  static DescriptorBuffer buffer(STDOUT_FILENO);
  static std::ostream out(&buffer);
  const bool out_tty = isatty(STDOUT_FILENO) != 0;
  const bool err_tty = isatty(STDERR_FILENO) != 0;
  const winsize size = out_tty ? terminal_size(STDOUT_FILENO) : winsize{};
  return Console{.out = out,
                 .err = std::cerr,
                 .out_tty = out_tty,
                 .err_tty = err_tty,
                 .out_colour = wants_colour(out_tty),
                 .err_colour = wants_colour(err_tty),
                 .width = decide_width(std::getenv("COLUMNS"), size.ws_col),
                 .height = size.ws_row,
                 .out_error = [] { return buffer.error(); }};
}

std::size_t error_columns(const Console& console) {
  if (!console.err_tty) return console.out_tty ? 0 : console.width;
  const std::size_t columns = terminal_size(STDERR_FILENO).ws_col;
  return columns != 0 ? columns : console.width;
}

void set_colour(Console& console, ColourWhen when) {
  switch (when) {
    case ColourWhen::automatic:
      return;
    case ColourWhen::always:
      console.out_colour = console.err_colour = true;
      return;
    case ColourWhen::never:
      console.out_colour = console.err_colour = false;
      return;
  }
}

}  // namespace umaskaudit

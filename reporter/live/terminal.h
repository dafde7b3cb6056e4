// Terminal: a full screen on the terminal, by ncurses: its lines and its keys.
// Must never leave the terminal in that state: not on a return, an exception, a signal or a stop.
// One at a time.
#pragma once

#include <signal.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace umaskaudit::live {

struct TerminalSize {
  std::size_t columns = 80, lines = 24;
};

struct Key {
  enum Kind : std::uint8_t {
    none,
    byte,
    up,
    down,
    page_up,
    page_down,
    home,
    end,
    enter,
    escape,
    backspace,
    tab,
    back_tab,
    wheel_up,
    wheel_down,
    click,
  };
  Kind kind = none;
  char value = 0;        // of a byte
  std::size_t line = 0;  // of a click, from the top
};

struct ScreenLine {
  std::string text;     // escaped; colours are those of Paint
  bool marked = false;  // shown in reverse, where there are colours
};

class Terminal {
 public:
  // Whether standard output is a terminal on which a cursor can be moved, by what terminfo(5) knows
  // of TERM.
  static bool is_possible();

  // Takes standard output, the keys of the controlling terminal, and its mouse where it has one.
  // SIGINT, SIGTERM, SIGHUP and SIGQUIT end next_key(); SIGTSTP gives the terminal back meanwhile.
  explicit Terminal(bool colour);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  TerminalSize size() const;
  // Shows these lines from the top, cut at the edges.
  void paint(const std::vector<ScreenLine>& lines);
  // The next key; none within `wait_ms`, or because the size changed.
  Key next_key(int wait_ms);
  // A signal to end has come, or the terminal is gone.
  bool wants_end() const;

 private:
  struct Screen;
  void handle(int signal, void (*handler)(int), int flags = 0);

  std::vector<std::pair<int, struct sigaction>> before_;
  std::unique_ptr<Screen> screen_;
  bool gone_ = false;
};

}  // namespace umaskaudit::live

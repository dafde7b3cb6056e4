// The terminal as a screen of its own: alternate buffer, no echo, no line discipline.
// Must never leave the terminal in that state: not on a return, an exception, a signal or a stop.
// Called by `top`. One at a time.
#pragma once

#include <signal.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace umaskaudit {

struct TerminalSize {
  std::size_t columns = 80, lines = 24;
};

class Terminal {
 public:
  // Takes standard output, which must be a terminal, and the keys of the controlling terminal.
  // SIGINT, SIGTERM, SIGHUP and SIGQUIT end next_key(); SIGTSTP gives the terminal back meanwhile.
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  TerminalSize size() const;
  // Shows `frame`, lines with their newline, unless it is there already.
  void paint(const std::string& frame);
  // A key that was pressed, 0 for none within `wait_ms` or because the size changed.
  char next_key(int wait_ms);
  // A signal asked for the end, or the terminal is gone.
  bool wants_end() const;

 private:
  void handle(int signal, void (*handler)(int), int flags = 0);

  std::vector<std::pair<int, struct sigaction>> before_;
  std::string shown_;
  bool gone_ = false;
};

}  // namespace umaskaudit

// See terminal.h. Handlers write(2) and tcsetattr(3), both async-signal-safe (signal-safety(7)).
#include "reporter/live/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace umaskaudit {
namespace {

// xterm's controls, ECMA-48: alternate screen, cursor, wrapping at the edge.
constexpr std::string_view kEnter = "\033[?1049h\033[?25l\033[?7l";
constexpr std::string_view kLeave = "\033[?7h\033[?25h\033[?1049l";
constexpr int kEnds[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};

volatile sig_atomic_t ended = 0;
volatile sig_atomic_t stopped = 0;
volatile sig_atomic_t taken = 0;
termios before{};
int keys = -1;

// False when the terminal is gone.
bool write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
    if (count < 0 && ended != 0) return false;
  }
  return true;
}

void enter() {
  if (keys >= 0 && tcgetattr(keys, &before) == 0) {
    termios raw = before;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(keys, TCSANOW, &raw);
  }
  taken = 1;
  write_all(kEnter);
}

// Async-signal-safe.
void leave() {
  if (taken == 0) return;
  taken = 0;
  write_all(kLeave);
  if (keys >= 0) tcsetattr(keys, TCSANOW, &before);
}

void on_crash(int signal) {
  leave();
  raise(signal);  // SA_RESETHAND: the next one is deadly
}

}  // namespace

void Terminal::handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action {
  }, old{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  sigaction(signal, nullptr, &old);
  if (old.sa_handler == SIG_IGN) return;
  sigaction(signal, &action, nullptr);
  before_.emplace_back(signal, old);
}

Terminal::Terminal() {
  for (const int signal : kEnds) handle(signal, [](int) { ended = 1; });
  for (const int signal : kCrashes) handle(signal, on_crash, static_cast<int>(SA_RESETHAND));
  handle(SIGTSTP, [](int) { stopped = 1; });
  handle(SIGWINCH, [](int) {});  // interrupts poll(2)
  keys = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  enter();
}

Terminal::~Terminal() {
  leave();
  for (const auto& [signal, action] : before_) sigaction(signal, &action, nullptr);
  if (keys >= 0) close(keys);
  keys = -1;
}

TerminalSize Terminal::size() const {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {size.ws_col, size.ws_row};
}

void Terminal::paint(const std::string& frame) {
  if (frame == shown_) return;
  shown_ = frame;
  // Each line clears what a longer one left; no newline at the end, it would scroll.
  std::string out = "\033[H";
  std::size_t at = 0;
  for (std::size_t end; (end = frame.find('\n', at)) != std::string::npos; at = end + 1) {
    if (at != 0) out += "\r\n";
    out += frame.substr(at, end - at) + "\033[K";
  }
  if (!write_all(out + "\033[J")) gone_ = true;
}

char Terminal::next_key(int wait_ms) {
  pollfd input{keys, POLLIN, 0};
  const int ready = poll(&input, 1, wait_ms);
  if (stopped != 0) {
    stopped = 0;
    leave();
    raise(SIGSTOP);
    enter();
    shown_.clear();
  }
  if (ready < 0) shown_.clear();  // a new size: what is shown may have been reflowed
  if (ready <= 0) return 0;
  char key = 0;
  if (read(keys, &key, 1) <= 0) gone_ = true;
  return key;
}

bool Terminal::wants_end() const { return ended != 0 || gone_; }

}  // namespace umaskaudit

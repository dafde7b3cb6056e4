// See terminal.h. Handlers write(2) and tcsetattr(3), both async-signal-safe (signal-safety(7)):
// endwin(3NCURSES) is not.
#include "reporter/live/terminal.h"

#define NCURSES_NOMACROS 1
#include <curses.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "reporter/live/terminal_type.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"

namespace umaskaudit::live {
namespace {

constexpr int kEnds[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr int kCrashes[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
constexpr int kEscapeMs = 50;  // a key's sequence comes at once; a human's Escape is alone
constexpr short kGood = 1, kWarning = 2, kBad = 3;

volatile sig_atomic_t ended = 0;
volatile sig_atomic_t stopped = 0;
volatile sig_atomic_t owner = 0;  // the process whose screen it is: a child's crash is not ours
termios before{};
char leave_bytes[256];  // what terminfo says gives the screen back
std::size_t leave_count = 0;

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(STDOUT_FILENO, text.data(), text.size());
    if (count < 0 && errno != EINTR) return;
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Async-signal-safe.
void leave() {
  if (owner == 0 || owner != getpid()) return;
  owner = 0;
  write_all({leave_bytes, leave_count});
  tcsetattr(STDOUT_FILENO, TCSANOW, &before);
}

void on_crash(int signal) {
  leave();
  raise(signal);  // SA_RESETHAND: the next one is deadly
}

const char* capability(const char* name) {
  const char* text = tigetstr(name);
  return text == reinterpret_cast<const char*>(-1) || text == nullptr ? "" : text;
}

// Mouse and colours off, cursor shown, keys as usual, the other screen. Delays, "$<5>", are for
// printers.
void remember_how_to_leave() {
  leave_count = 0;
  // What ncurses sends where the terminal has a mouse; terminfo(5) has no name for it.
  if (*capability("kmous") != '\0')
    for (const char c : std::string_view("\x1b[?1006l\x1b[?1000l")) leave_bytes[leave_count++] = c;
  for (const char* name : {"sgr0", "op", "cnorm", "rmkx", "rmcup"}) {
    for (const char* c = capability(name); *c != '\0' && leave_count < sizeof leave_bytes; ++c) {
      if (c[0] == '$' && c[1] == '<') {
        c = std::strchr(c, '>');
        if (c == nullptr) break;
        continue;
      }
      leave_bytes[leave_count++] = *c;
    }
  }
}

// As much from the front as fits into `columns`.
std::string_view part_within(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return text;
  std::size_t at = 0, used = 0;
  while (at < text.size()) {
    const std::size_t length = std::max<std::size_t>(decode_utf8(text.substr(at)).length, 1);
    used += display_width(text.substr(at, length));
    if (used > columns) break;
    at += length;
  }
  return text.substr(0, at);
}

attr_t attributes_of(std::string_view sequence, bool colour) {
  if (!colour) return A_NORMAL;
  if (sequence == "1") return A_BOLD;
  if (sequence == "2") return A_DIM;
  if (sequence == "32") return static_cast<attr_t>(COLOR_PAIR(kGood));
  if (sequence == "33") return static_cast<attr_t>(COLOR_PAIR(kWarning));
  if (sequence == "31") return static_cast<attr_t>(COLOR_PAIR(kBad));
  return A_NORMAL;
}

Key mouse_key() {
  MEVENT event{};
  if (getmouse(&event) != OK) return {};
  if ((event.bstate & BUTTON4_PRESSED) != 0) return {Key::wheel_up};
  if ((event.bstate & BUTTON5_PRESSED) != 0) return {Key::wheel_down};
  if ((event.bstate & BUTTON1_PRESSED) == 0 || event.y < 0) return {};
  return {Key::click, 0, static_cast<std::size_t>(event.y)};
}

Key key_of(int code) {
  switch (code) {
    case KEY_MOUSE:
      return mouse_key();
    case KEY_UP:
      return {Key::up};
    case KEY_DOWN:
      return {Key::down};
    case KEY_PPAGE:
      return {Key::page_up};
    case KEY_NPAGE:
      return {Key::page_down};
    case KEY_HOME:
      return {Key::home};
    case KEY_END:
      return {Key::end};
    case KEY_ENTER:
    case '\r':
    case '\n':
      return {Key::enter};
    case KEY_BACKSPACE:
    case '\b':
    case 0x7f:
      return {Key::backspace};
    case KEY_BTAB:
      return {Key::back_tab};
    case '\t':
      return {Key::tab};
    case 0x1b:
      return {Key::escape};
    default:
      if (code < 0 || code > 0xff) return {};
      return {Key::byte, static_cast<char>(code)};
  }
}

}  // namespace

struct Terminal::Screen {
  FILE* keys = nullptr;
  SCREEN* screen = nullptr;
  bool colour = false;
};

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

bool Terminal::is_possible() { return can_move_cursor(STDOUT_FILENO); }

Terminal::Terminal(bool colour) : screen_(new Screen) {
  // Before ncurses, which leaves alone what is handled.
  for (const int signal : kEnds) handle(signal, [](int) { ended = 1; });
  for (const int signal : kCrashes) handle(signal, on_crash, static_cast<int>(SA_RESETHAND));
  handle(SIGTSTP, [](int) { stopped = 1; });
  handle(SIGWINCH, [](int) {});  // interrupts poll(2)
  // Text is UTF-8 whatever the user's locale says, as in all reports.
  setlocale(LC_CTYPE, "C.UTF-8");
  tcgetattr(STDOUT_FILENO, &before);
  const int keys = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  screen_->keys = keys < 0 ? stdin : fdopen(keys, "r+");
  screen_->screen = newterm(nullptr, stdout, screen_->keys);
  if (screen_->screen == nullptr) {
    gone_ = true;
    return;
  }
  owner = getpid();
  remember_how_to_leave();
  set_term(screen_->screen);
  cbreak();
  noecho();
  nonl();
  set_escdelay(kEscapeMs);
  keypad(stdscr, TRUE);
  nodelay(stdscr, TRUE);
  scrollok(stdscr, FALSE);
  curs_set(0);
  mouseinterval(0);  // reports a press at once, and does not wait for a double click
  mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, nullptr);
  screen_->colour = colour && has_colors();
  if (screen_->colour) {
    start_color();
    use_default_colors();
    init_pair(kGood, COLOR_GREEN, -1);
    init_pair(kWarning, COLOR_YELLOW, -1);
    init_pair(kBad, COLOR_RED, -1);
  }
}

Terminal::~Terminal() {
  if (screen_->screen != nullptr) {
    endwin();
    owner = 0;
    delscreen(screen_->screen);
    tcsetattr(STDOUT_FILENO, TCSANOW, &before);
  }
  for (const auto& [signal, action] : before_) sigaction(signal, &action, nullptr);
  if (screen_->keys != nullptr && screen_->keys != stdin) fclose(screen_->keys);
}

// The terminal's own word, whatever COLUMNS and LINES say.
TerminalSize Terminal::size() const {
  if (screen_->screen == nullptr) return {};
  winsize now{};
  const bool known =
      ioctl(STDOUT_FILENO, TIOCGWINSZ, &now) == 0 && now.ws_col != 0 && now.ws_row != 0;
  if (known && (now.ws_col != getmaxx(stdscr) || now.ws_row != getmaxy(stdscr))) {
    resizeterm(now.ws_row, now.ws_col);
    clearok(stdscr, TRUE);  // terminals move what they show then, each in its own way
  }
  return {static_cast<std::size_t>(getmaxx(stdscr)), static_cast<std::size_t>(getmaxy(stdscr))};
}

void Terminal::paint(const std::vector<ScreenLine>& lines) {
  if (screen_->screen == nullptr) return;
  const TerminalSize now = size();
  werase(stdscr);
  for (std::size_t row = 0; row < lines.size() && row < now.lines; ++row) {
    const std::string& text = lines[row].text;
    const attr_t base = lines[row].marked && screen_->colour ? A_REVERSE : A_NORMAL;
    wmove(stdscr, static_cast<int>(row), 0);
    wattrset(stdscr, static_cast<int>(base));
    std::size_t column = 0;
    for (std::size_t at = 0; at < text.size();) {
      if (text.compare(at, 2, "\x1b[") == 0) {
        const std::size_t end = std::min(text.find('m', at), text.size());
        const std::string_view sequence(text.data() + at + 2, end - at - 2);
        wattrset(stdscr, static_cast<int>(base | attributes_of(sequence, screen_->colour)));
        at = end + 1;
        continue;
      }
      const std::size_t end = std::min(text.find('\x1b', at), text.size());
      // Past the edge ncurses would go on in the next line.
      const std::string_view part = part_within({text.data() + at, end - at}, now.columns - column);
      waddnstr(stdscr, part.data(), static_cast<int>(part.size()));
      column += display_width(part);
      at = part.size() < end - at ? text.size() : end;
    }
    if (base != A_NORMAL)
      for (; column < now.columns; ++column) waddch(stdscr, ' ' | base);
  }
  wattrset(stdscr, A_NORMAL);
  wrefresh(stdscr);
}

Key Terminal::next_key(int wait_ms) {
  if (screen_->screen == nullptr) return {};
  pollfd input{fileno(screen_->keys), POLLIN, 0};
  const int ready = poll(&input, 1, wait_ms);
  if (stopped != 0) {
    stopped = 0;
    endwin();
    owner = 0;
    raise(SIGSTOP);
    owner = getpid();
    clearok(stdscr, TRUE);
    wrefresh(stdscr);
  }
  if (ended != 0) return {};
  const int code = wgetch(stdscr);
  if (code != ERR) return key_of(code);
  if (ready > 0 && (input.revents & (POLLIN | POLLHUP | POLLERR)) != 0) gone_ = true;
  return {};
}

bool Terminal::wants_end() const { return ended != 0 || gone_; }

}  // namespace umaskaudit::live

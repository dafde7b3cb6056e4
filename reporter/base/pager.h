// Pager: shows output on a terminal through a pager, when it is longer than the screen.
// Must never lose output: without a pager, it goes to the terminal directly.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstddef>
#include <ostream>
#include <streambuf>
#include <string>

namespace umaskaudit {

inline constexpr char kUsualPager[] = "less";

// UMASKAUDIT_PAGER, PAGER, else less(1), which may not be installed; empty: no pager (set to "" or
// "cat", or a terminal that is "dumb"). Null pointers mean unset variables.
std::string decide_pager(const char* own, const char* general, const char* term);

// Replaces the buffer of `out`, which writes to standard output, until finish(). Nothing is started
// or shown before more than a screen has been written.
class Pager : public std::streambuf {
 public:
  // `command` is for sh(1); `rows`: height of the terminal.
  Pager(std::ostream& out, std::string command, std::size_t rows);
  ~Pager() override { finish(); }
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

  // Writes the rest, restores the stream's buffer, and waits until the pager has ended. A pager
  // that the user left early is no error.
  void finish();

 protected:
  int_type overflow(int_type next) override;
  std::streamsize xsputn(const char* text, std::streamsize count) override;
  int sync() override;

 private:
  void add(const char* text, std::size_t count);
  void start();
  void send();

  std::ostream& out_;
  std::streambuf* const before_;
  const std::string command_;
  const std::size_t rows_;
  std::string held_;
  std::size_t lines_ = 0;
  int descriptor_ = -1;  // the pipe to the pager
  pid_t pid_ = -1;
  bool bypass_ = false;  // writes directly: no pager could be started
  bool done_ = false;
};

}  // namespace umaskaudit

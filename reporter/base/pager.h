// Shows what a command writes to a terminal through a pager, when it is longer than the screen.
// Must never lose output: where no pager can be started, it goes to the terminal as it is.
// Called by the command line.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstddef>
#include <ostream>
#include <streambuf>
#include <string>

namespace umaskaudit {

inline constexpr char kUsualPager[] = "less";

// UMASKAUDIT_PAGER, PAGER, else less(1), which may not be installed; empty: none is wanted ("" or
// "cat", or a terminal that is "dumb"). Null pointers stand for unset variables.
std::string decide_pager(const char* own, const char* general, const char* term);

// Takes the place of the buffer of `out`, which writes to standard output, until finish(). Nothing
// is started, nor shown, before more than a screen has been written.
class Pager : public std::streambuf {
 public:
  // `command` is for sh(1); `rows` of the terminal.
  Pager(std::ostream& out, std::string command, std::size_t rows);
  ~Pager() override { finish(); }
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

  // Writes what is left, gives the stream its buffer back, and waits until the pager has ended. A
  // reader that left early is no error.
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
  int descriptor_ = -1;  // of the pipe to the pager
  pid_t pid_ = -1;
  bool bypass_ = false;  // no pager could be started
  bool done_ = false;
};

}  // namespace umaskaudit

// Progress: a line on standard error while a long run is read: "umaskaudit: reading 1200000
// records, 34 %". Must never appear without a terminal, with -q, or before half a second has
// passed, nor stay: what is printed afterwards begins in an empty line.
// Driven by the reader, through OpenedRun.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "reporter/base/console.h"

namespace umaskaudit::commands {

class Progress {
 public:
  explicit Progress(Console& console);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  // `done` of `total` records; a total of 0 is not known yet. done == total removes the line.
  void tick(std::uint64_t done, std::uint64_t total);
  // The same for other work, without a total: "umaskaudit: looking at 12000 names". 0: it is done.
  void count(const char* doing, std::uint64_t done, const char* what);
  // No line from now on: the answer itself is about to scroll by on the same terminal.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  void show(const std::string& what);
  void clear();

  Console& console_;
  bool wanted_;
  bool shown_ = false;
  Clock::time_point next_;
};

}  // namespace umaskaudit::commands

#include "reporter/commands/progress.h"

#include <ostream>
#include <string>

namespace umaskaudit::commands {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(500);
constexpr auto kPause = std::chrono::milliseconds(100);
constexpr std::size_t kColumns = 60;  // more than the longest line

}  // namespace

Progress::Progress(Console& console)
    : console_(console),
      wanted_(console.err_tty && console.verbosity != Verbosity::quiet),
      next_(Clock::now() + kPatience) {}

void Progress::tick(std::uint64_t done, std::uint64_t total) {
  if (done == total) return clear();
  if (total == 0)
    show("reading " + std::to_string(done) + " records");
  else
    show("reading " + std::to_string(total) + " records, " + std::to_string(done * 100 / total) +
         " %");
}

void Progress::count(const char* doing, std::uint64_t done, const char* what) {
  if (done == 0) return clear();
  show(doing + (" " + std::to_string(done)) + " " + what);
}

void Progress::show(const std::string& what) {
  if (!wanted_) return;
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + kPause;
  std::string line = "\rumaskaudit: " + what;
  line.resize(kColumns, ' ');  // over what a longer line left there
  console_.err << line << std::flush;
  shown_ = true;
}

void Progress::stop() {
  clear();
  wanted_ = false;
}

// Blanks and a return instead of an escape sequence: a dumb terminal is a terminal too.
void Progress::clear() {
  if (!shown_) return;
  console_.err << '\r' << std::string(kColumns, ' ') << '\r' << std::flush;
  shown_ = false;
}

}  // namespace umaskaudit::commands

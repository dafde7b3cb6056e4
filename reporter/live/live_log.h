// LiveLog: where the lines of `run --live` go, by sinks of spdlog.
// Must never hand a descriptor on to CMD, nor make a log file that others can read.
#pragma once

#include <spdlog/common.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reporter/base/console.h"
#include "reporter/base/result.h"
#include "reporter/text/style.h"

namespace spdlog {
class logger;
}

namespace umaskaudit::live {

// Empty when `word` names a place for live lines ("stderr", "syslog", "journald", "file:PATH") or
// for records ("otlp", "otlp:URL"), else what is wrong with it.
std::string check_live_place(const std::string& word);

class LiveLog {
 public:
  // Opens all `places`, each once. Error: one of them is not there.
  static Result<LiveLog> open(const std::vector<std::string>& places, Console& console);

  // `line` renders the event for a place that may be coloured or not; no newline. `real_ns`: when
  // it happened, CLOCK_REALTIME.
  void write(spdlog::level::level_enum level, std::uint64_t real_ns,
             const std::function<std::string(Paint)>& line);
  void flush();
  // What went wrong first while writing; empty: nothing.
  const std::string& trouble() const { return *trouble_; }

 private:
  struct Place {
    std::shared_ptr<spdlog::logger> logger;
    Paint paint;
  };
  Status add(const std::string& word, Console& console);

  std::vector<Place> places_;
  std::shared_ptr<std::string> trouble_ = std::make_shared<std::string>();
};

}  // namespace umaskaudit::live

// LiveShip: sends the records of `run --live-to otlp` to collectors while CMD runs.
// Must never make the watch wait, nor keep more than a bounded queue for each collector.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/export/otlp.h"
#include "reporter/ship/endpoint.h"
#include "reporter/ship/sender.h"

namespace umaskaudit::live {

// Whether a word of --live-to is one of a collector: "otlp", "otlp:URL".
bool is_collector(const std::string& word);
// Its URL; empty: that of the environment.
std::string collector_url(const std::string& word);

class LiveShip {
 public:
  // Loads libcurl; to be called before CMD is started. `agent` and `resource`: who sends, the
  // latter without its run. Error: there is no libcurl.
  static Result<std::unique_ptr<LiveShip>> open(const std::vector<ship::Endpoint>& endpoints,
                                                const std::string& agent,
                                                exports::OtlpResource resource);

  // The threads begin: after CMD was started.
  void start();
  // Sets the run of the records; has no effect after the first one.
  const render::RunLine& is_of(const render::RunLine& run);
  const render::RunLine& run() const { return resource_.run; }
  void add(const std::string& record);
  // Sends a request that is not full, but has waited for a second.
  void tick();
  // Sends what is left, for as long as a request may take. Returns what went wrong, a line each.
  std::vector<std::string> finish();

 private:
  using Clock = std::chrono::steady_clock;

  exports::OtlpResource resource_;
  struct Way {
    std::unique_ptr<ship::Sender> sender;
    std::chrono::milliseconds limit;
  };
  std::vector<Way> ways_;
  std::optional<exports::OtlpBatches> batches_;
  Clock::time_point oldest_;
};

}  // namespace umaskaudit::live

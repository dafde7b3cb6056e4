// Requests that wait for a collector, and the thread that sends them, one after the other.
// Must never hold more than it is told to, nor let anybody wait who did not ask for it; what it
// cannot send it counts. Called by `export --to` and by the live watch.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "reporter/base/result.h"
#include "reporter/ship/endpoint.h"

namespace umaskaudit::ship {

// What became of the records. Those that are neither of the others arrived.
struct Shipped {
  std::uint64_t given = 0;
  std::uint64_t rejected = 0;  // by the collector
  std::uint64_t dropped = 0;   // there was no room, or no time
  std::string trouble;         // why, of the first of them; raw bytes; may be empty
  std::string warning;         // a collector's words with what it took
  std::uint64_t lost() const { return rejected + dropped; }
};

struct SenderLimits {
  std::size_t most_bytes = 16 << 20;  // of requests that wait
  // How long one request is tried; 0: until end_in().
  std::chrono::milliseconds patience{0};
};

class Sender {
 public:
  // Loads libcurl, and sends nothing yet. Not thread-safe. `agent`: "NAME/VERSION".
  static Result<std::unique_ptr<Sender>> open(const Endpoint& endpoint, const std::string& agent,
                                              const SenderLimits& limits);
  // Gives up what waits.
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // The thread begins: a fork before that copies none of it.
  void start();
  // Each is called by one thread. Never waits; drops the request where there is no room.
  void offer(std::string request, std::uint64_t records);
  // Waits for room. False: a request ran out of patience or was refused, more is in vain.
  bool put(std::string request, std::uint64_t records);
  // Nothing more comes; what waits has so long from now on. 0: as long as patience goes.
  void end_in(std::chrono::milliseconds limit);
  // After end_in(): waits for the thread to end.
  Shipped finish();

  const std::string& url() const;

 private:
  struct State;
  explicit Sender(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace umaskaudit::ship

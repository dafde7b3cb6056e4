// Makes segments for the programs of a run that cannot open its directory: those of another user,
// in another root, behind a read-only mount. They ask through a socket (segment_request.h).
// Must never wait for one of them, hand out anything but a new segment, nor make one that others
// may read. Called by `run`.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "preload/trace/format.h"

namespace umaskaudit {

class SegmentServer {
 public:
  // Listens; what asks before start() is answered then. `directory`: of the run, which is there.
  explicit SegmentServer(const std::string& directory);
  ~SegmentServer();
  SegmentServer(const SegmentServer&) = delete;
  SegmentServer& operator=(const SegmentServer&) = delete;

  // "recorder=...", for the library; "" where no such socket can be had.
  const std::string& option() const { return option_; }
  void start();
  // Answers what was asked until now, and nothing more.
  void finish();

 private:
  struct Connection {
    int fd;
    std::string segment;  // name of the file that was handed over; "": nothing was asked yet
  };

  bool listen_on(const std::string& name);
  void run();
  void serve(int timeout_ms);
  void accept_all();
  // False: it is over.
  bool read_from(Connection& connection);
  bool answer_request(Connection& connection);
  void settle(const Connection& connection, int error);
  int make_segment(std::uint32_t pid, uid_t uid, std::string& name) const;
  std::uint64_t room() const;
  void close(std::size_t index);
  template <typename Count>
  void count(Count counter);

  int directory_ = -1, listener_ = -1, wake_read_ = -1, wake_write_ = -1;
  std::string key_, option_;
  trace::RunState* state_ = nullptr;
  std::deque<Connection> connections_;  // oldest first
  std::vector<std::string> names_;      // of all segments that were handed over
  std::thread thread_;
};

}  // namespace umaskaudit

// SegmentServer: creates segments for programs of a run that cannot open its directory: those of
// another user, in another root, behind a read-only mount. They ask through a socket
// (segment_request.h).
// Must never wait for a client, pass on anything but a new segment, nor create one that others may
// read.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "preload/trace/format.h"

namespace umaskaudit::record {

class SegmentServer {
 public:
  // Listens; requests before start() are answered after it. `directory`: of the run, which must
  // exist.
  explicit SegmentServer(const std::string& directory);
  ~SegmentServer();
  SegmentServer(const SegmentServer&) = delete;
  SegmentServer& operator=(const SegmentServer&) = delete;

  // The option "recorder=..." for the library; "" without such a socket.
  const std::string& option() const { return option_; }
  void start();
  // Answers the requests so far, and no more.
  void finish();

 private:
  struct Connection {
    int fd;
    std::string segment;  // the name of the file that was passed on; "": no request yet
  };

  bool listen_on(const std::string& name);
  void run();
  void serve(int timeout_ms);
  void accept_all();
  // False: the connection is over.
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

}  // namespace umaskaudit::record

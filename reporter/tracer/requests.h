// Requests: the socket by which processes of the run ask to be traced (preload/trace/hand_over.h),
// and the other event that wakes the tracer: the end of the run.
// Must never call ptrace(2), which only the tracer's main thread may. The socket has a thread of
// its own, because waitpid(2) waits for nothing else.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "preload/trace/hand_over.h"
#include "reporter/base/result.h"

namespace umaskaudit::tracer {

struct Request {
  trace::HandOverKind kind;
  pid_t process, thread;
  trace::HandOverScope scope;
  int connection;  // for the answer; 0: no answer is expected
};

class Requests {
 public:
  Requests();
  ~Requests();
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  // Creates the socket before the tracer process is forked: its name is known then, and a request
  // before the tracer listens is queued. Error: no socket.
  Status open();
  // The value of the option tracer=, for a tracer with this pid.
  std::string name_for(pid_t tracer) const;
  // In the tracer: the calling thread is the one to wake. `until`: a descriptor whose end of file
  // means the end of the run; -1: none.
  void listen(int until);

  // In the tracer's main thread: the requests since the last call.
  std::vector<Request> take();
  // Once for each request. False: the requester has ended, or stopped waiting.
  bool answer(int connection, int error);
  bool over() const { return over_.load(std::memory_order_acquire); }
  // Blocks until there is a request, or the run is over.
  void wait();

 private:
  void serve();
  void accept_connection();
  bool read_request(int number, int connection);
  void put(const Request& request);
  void wake();

  int socket_ = -1, until_ = -1, stop_ = -1, changed_ = -1;
  std::string address_;  // without the leading NUL and the pid
  std::thread thread_;
  pthread_t tracer_{};
  std::atomic<bool> over_ = false, pending_ = false;
  std::mutex mutex_;
  std::deque<Request> queue_;
  std::map<int, int> open_;  // descriptors by a number that is never reused
  int last_ = 0;
};

}  // namespace umaskaudit::tracer

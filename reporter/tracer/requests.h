// The socket by which processes of the run ask to be traced (preload/trace/hand_over.h), and what
// else wakes the tracer: the end of the run.
// Must never call ptrace(2): that is the tracer's one thread's. The socket has a thread of its own,
// since waitpid(2) waits for nothing else.
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
  int connection;  // to answer on; 0: nobody waits
};

class Requests {
 public:
  Requests();
  ~Requests();
  Requests(const Requests&) = delete;
  Requests& operator=(const Requests&) = delete;

  // Makes the socket, before the tracer is a process of its own: its name is known then, and a
  // program that asks before the tracer listens waits. Error: there is none.
  Status open();
  // The value of the option tracer=, for a tracer with this pid.
  std::string name_for(pid_t tracer) const;
  // In the tracer: its calling thread is the one to wake. `until`: a descriptor whose end of file
  // says that the run is over; -1: none.
  void listen(int until);

  // In the thread of the tracer. What has come since the last time.
  std::vector<Request> take();
  // Once a request. False: who asked is gone, or has gone on without.
  bool answer(int connection, int error);
  bool over() const { return over_.load(std::memory_order_acquire); }
  // Blocks until there is something to take, or the run is over.
  void wait();

 private:
  void serve();
  void accept_connection();
  bool read_request(int number, int connection);
  void put(const Request& request);
  void wake();

  int socket_ = -1, until_ = -1, stop_ = -1, changed_ = -1;
  std::string address_;  // without the NUL in front, and without the pid
  std::thread thread_;
  pthread_t tracer_{};
  std::atomic<bool> over_ = false, pending_ = false;
  std::mutex mutex_;
  std::deque<Request> queue_;
  std::map<int, int> open_;  // descriptors by a number that is never used again
  int last_ = 0;
};

}  // namespace umaskaudit::tracer

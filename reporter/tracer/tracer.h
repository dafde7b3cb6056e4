// Tracer: stops tasks at the calls that create something or change a mask, records them, and
// detaches (ptrace(2)).
// Must never leave a task stopped, deliver a signal twice or not at all, or keep a task that asked
// to be detached.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/tracer/recording.h"
#include "reporter/tracer/requests.h"
#include "reporter/tracer/tracee.h"

namespace umaskaudit::tracer {

struct TracerOptions {
  RecordingOptions recording;
  std::string library;  // the library's path; images that load it are not traced
  bool filter = false;  // install a seccomp filter in traced images: faster, but permanent
};

class Tracer {
 public:
  // `requests` may be null. Both must live longer.
  Tracer(const TracerOptions& options, Requests* requests);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // Records a running process from now on: all of its threads, and their children. 0 or an error
  // number; then none of it is traced. `threads`: how many there are.
  int attach(pid_t process, unsigned* threads);

  // Runs until nothing is left to trace, and the run is over. `stop`, set by a signal handler,
  // detaches everything first.
  void run(const volatile sig_atomic_t* stop = nullptr);

 private:
  using TaskPtr = std::unique_ptr<Task>;

  // Requests
  void serve_requests();
  int follow(const Request& request);
  bool seize(pid_t tid);
  int seize_all(pid_t process, trace::HandOverScope scope, unsigned* threads);
  void begin_recording(const std::shared_ptr<Process>& process);
  static void join_context(Task& task, const std::vector<Task*>& others);
  void answer(const Request& request, int error);
  void let_go(pid_t tid, int connection);
  void let_all_go();

  // Stops
  void on_stop(pid_t tid, int status);
  void on_end(pid_t tid);
  void on_call(Task& task, bool by_filter);
  void on_entry(Task& task, std::uint64_t pc, std::uint64_t sp);
  bool must_let_go(Task& task);
  void on_exit(Task& task, std::int64_t result);
  void on_new_task(Task& parent, int event);
  void on_exec(Task& task);
  void on_unknown(pid_t tid);
  void on_event(Task& task, int event, int signal);
  void on_injected(Task& task, int signal);

  // The gate
  void enter(Task& task);
  void leave(Task& task);
  void admit_held(FsContext& context);
  void hold(Task& task);
  void stop_holding(Task& task);
  void admit(Task& task);
  void admit_late();
  bool is_stuck(const FsContext& context) const;

  Task* find(pid_t tid);
  Task& add(pid_t tid, std::shared_ptr<Process> process);
  Task& adopt(pid_t tid, Task& parent, trace::Origin origin);
  void forget(pid_t tid);
  void detach(Task& task, int signal);
  void go_on(Task& task, int signal = 0);
  std::uint32_t stack_of(Task& task, std::uint64_t pc, std::uint64_t sp);

  const TracerOptions& options_;
  Requests* requests_;
  std::unordered_map<pid_t, TaskPtr> tasks_;
  // Tasks that have stopped before the event of their parent: the parent's id; 0: not known either.
  std::unordered_map<pid_t, pid_t> early_;
  bool kernel_tells_creations_;
  bool stopping_ = false;
  unsigned held_ = 0;
};

}  // namespace umaskaudit::tracer

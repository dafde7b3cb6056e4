// Attaches to tasks and detaches from them. Part of Tracer (tracer.h).

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "reporter/tracer/call_recorder.h"
#include "reporter/tracer/tracer.h"

namespace umaskaudit::tracer {

namespace {

// Not PTRACE_O_EXITKILL: if the tracer dies, the program goes on.
constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                          PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP;

}  // namespace

std::shared_ptr<FsContext> context_by_proc(pid_t tid) {
  const auto facts = status_of(tid);
  auto context = std::make_shared<FsContext>();
  context->tasks = 1;
  if (facts && facts->mask) {
    context->mask = *facts->mask;
    context->source = trace::MaskSource::proc;
  }
  return context;
}

bool Tracer::seize(pid_t tid) { return ptrace(PTRACE_SEIZE, tid, 0, kOptions) == 0; }

void Tracer::serve_requests() {
  for (const Request& request : requests_->take()) {
    switch (request.kind) {
      case trace::HandOverKind::take_exec:
      case trace::HandOverKind::follow_child:
        answer(request, follow(request));
        break;
      case trace::HandOverKind::take_process:
        answer(request, seize_all(request.process, request.scope, nullptr));
        break;
      case trace::HandOverKind::call_returned:
        let_go(request.thread, request.connection);
        break;
      default:
        requests_->answer(request.connection, EPROTO);
    }
  }
}

// A requester that stopped waiting records itself again.
void Tracer::answer(const Request& request, int error) {
  if (requests_->answer(request.connection, error) || error != 0) return;
  if (request.kind != trace::HandOverKind::take_process) return let_go(request.thread, 0);
  for (const pid_t tid : threads_of(request.process)) {
    if (Task* const task = find(tid); task != nullptr) task->passing = true;
    let_go(tid, 0);
  }
}

// Only its next image, or its children, matter.
int Tracer::follow(const Request& request) {
  if (find(request.thread) != nullptr) return 0;
  if (!seize(request.thread)) return errno;
  Task& task = add(request.thread, std::make_shared<Process>(request.process));
  task.passing = true;
  task.expects_child = request.kind == trace::HandOverKind::follow_child;
  return 0;
}

void Tracer::let_go(pid_t tid, int connection) {
  Task* const task = find(tid);
  if (task == nullptr || !task->passing || task->process->filtered) {
    requests_->answer(connection, 0);
    return;
  }
  task->release = connection;
  if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0) forget(tid);
}

int Tracer::attach(pid_t process, unsigned* threads) {
  return seize_all(process, trace::HandOverScope::everything, threads);
}

// Stops every thread, also those that are made meanwhile, begins the record, and goes on.
int Tracer::seize_all(pid_t pid, trace::HandOverScope scope, unsigned* threads) {
  const auto process = std::make_shared<Process>(pid);
  process->filtered = process->shared = scope == trace::HandOverScope::filtered_calls;
  int error = 0;
  std::vector<pid_t> stopping;
  for (bool more = true; more;) {
    more = false;
    for (const pid_t tid : threads_of(pid)) {
      Task* const known = find(tid);
      if (known != nullptr && known->process == process) continue;
      if (known == nullptr && !seize(tid)) {
        // Its parent's event brought it already; another may have ended.
        if (stopping.empty()) error = errno;
        continue;
      }
      Task& task = known != nullptr ? *known : add(tid, process);
      task.process = process;
      task.passing = false;
      ptrace(PTRACE_INTERRUPT, tid, 0, 0);
      stopping.push_back(tid);
      more = true;
    }
  }
  if (stopping.empty()) return error != 0 ? error : ESRCH;
  if (threads != nullptr) *threads = static_cast<unsigned>(stopping.size());
  std::vector<std::pair<pid_t, int>> stops;
  for (const pid_t tid : stopping) {
    int status = 0;
    pid_t got;
    do got = waitpid(tid, &status, __WALL);
    while (got < 0 && errno == EINTR);
    if (got == tid) stops.emplace_back(tid, status);
  }
  begin_recording(process);
  for (const auto& [tid, status] : stops) on_stop(tid, status);
  return 0;
}

// The context that the task shares with another one, or a new one.
void Tracer::join_context(Task& task, const std::vector<Task*>& others) {
  for (Task* const other : others) {
    if (other->context == nullptr || !share_context(other->tid, task.tid).value_or(true)) continue;
    task.context = other->context;
    ++task.context->tasks;
    return;
  }
  task.context = context_by_proc(task.tid);
}

void Tracer::begin_recording(const std::shared_ptr<Process>& process) {
  std::vector<Task*> tasks;
  for (const auto& [tid, task] : tasks_) {
    if (task->process == process) tasks.push_back(task.get());
  }
  // The leader first: its context is the one that the process begins in.
  std::sort(tasks.begin(), tasks.end(), [&](const Task* a, const Task* b) {
    return std::pair(a->tid != process->pid, a->tid) < std::pair(b->tid != process->pid, b->tid);
  });
  const auto facts = status_of(process->pid);
  process->recording =
      std::make_shared<Recording>(options_.recording, process->pid, facts ? facts->parent : 0);
  trace::Origin origin = trace::Origin::exec;
  for (Task* const task : tasks) {
    if (task->context) --task->context->tasks;
    task->context = nullptr;
    join_context(*task, tasks);
    const std::uint32_t context = context_id(*task, std::exchange(origin, trace::Origin::unknown));
    process->recording->add_thread({process->pid, task->tid}, context, name_of_thread(task->tid));
  }
}

void Tracer::let_all_go() {
  stopping_ = true;
  std::vector<pid_t> all;
  for (const auto& [tid, task] : tasks_) all.push_back(tid);
  for (const pid_t tid : all) {
    Task* const task = find(tid);
    if (task == nullptr) continue;
    if (task->held) {
      detach(*task, 0);  // stopped already
    } else if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) != 0) {
      forget(tid);  // a leader that ended before its threads
    }
  }
  for (const auto& [early, maker] : std::exchange(early_, {})) ptrace(PTRACE_DETACH, early, 0, 0);
}

}  // namespace umaskaudit::tracer

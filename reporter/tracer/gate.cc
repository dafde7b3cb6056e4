// The gate of an fs context: changes of its mask and creating calls exclude each other, so that the
// mask of each object is known. A task that would violate that is held at the entry of its call
// until the calls in progress have returned; or, if one of them sleeps, for 20 ms: open(2) of a
// FIFO may wait for the very thread that is held. Part of Tracer (tracer.h).

#include <sys/time.h>

#include <algorithm>
#include <utility>

#include "reporter/tracer/tracer.h"

namespace umaskaudit::tracer {

namespace {

constexpr std::uint64_t kLimit = 20'000'000;  // ns
constexpr long kTick = 5'000;                 // us

volatile sig_atomic_t ticked = 0;

// Repeatedly: a single tick could come just before waitpid(2).
void tick(bool on) {
  struct sigaction action {};
  action.sa_handler = [](int) { ticked = 1; };
  sigaction(SIGALRM, &action, nullptr);
  const timeval period{0, on ? kTick : 0};
  const itimerval timer{period, period};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

// The library records changes made through libc; the gate does not see them.
void read_mask(Task& task) {
  const auto facts = status_of(task.tid);
  if (!facts || !facts->mask || *facts->mask == task.context->mask) return;
  task.context->mask = *facts->mask;
  ++task.context->changes;
}

bool changes_mask(const Task& task) { return task.call.row->effect == Effect::mask; }

}  // namespace

void Tracer::enter(Task& task) {
  FsContext& context = *task.context;
  PendingCall& call = task.call;
  call.entered = true;
  if (task.process->shared) read_mask(task);
  call.busy = context.changing != 0;
  call.changes_before = context.changes;
  call.mask_before = context.mask;
  ++(changes_mask(task) ? context.changing : context.creating);
}

void Tracer::hold(Task& task) {
  task.held = true;
  task.held_ns = now_ns();
  task.context->held.push_back(&task);
  if (held_++ == 0) tick(true);
}

void Tracer::stop_holding(Task& task) {
  std::erase(task.context->held, &task);
  task.held = false;
  --held_;
}

void Tracer::admit(Task& task) {
  stop_holding(task);
  enter(task);
  go_on(task);
}

// Its call has returned, or never will.
void Tracer::leave(Task& task) {
  if (task.context == nullptr) return;
  FsContext& context = *task.context;
  if (task.held) stop_holding(task);
  if (!task.call.entered) return;
  task.call.entered = false;
  --(changes_mask(task) ? context.changing : context.creating);
  admit_held(context);
}

// In order of arrival, so that neither kind waits forever.
void Tracer::admit_held(FsContext& context) {
  while (!context.held.empty()) {
    Task& task = *context.held.front();
    if (!context.admits(changes_mask(task))) return;
    admit(task);
  }
}

// A call in progress that waits for the processor will return by itself, however busy the machine
// is.
bool Tracer::is_stuck(const FsContext& context) const {
  for (const auto& [tid, task] : tasks_) {
    if (task->context.get() == &context && task->call.entered && !is_asleep(tid)) return false;
  }
  return true;
}

// Tasks that have waited too long go on; the records of overlapping calls say so.
void Tracer::admit_late() {
  if (ticked == 0) return;
  ticked = 0;
  if (held_ == 0) return tick(false);
  std::vector<Task*> late;
  const std::uint64_t now = now_ns();
  for (const auto& [tid, task] : tasks_) {
    if (task->held && now - task->held_ns >= kLimit) late.push_back(task.get());
  }
  for (Task* const task : late) {
    if (task->held && is_stuck(*task->context)) admit(*task);
  }
}

}  // namespace umaskaudit::tracer

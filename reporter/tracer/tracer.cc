// Handles stops; see tracer.h. Requests are in tracer_requests.cc, the gate in gate.cc.

#include "reporter/tracer/tracer.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "reporter/tracer/call_reader.h"
#include "reporter/tracer/call_recorder.h"
#include "reporter/tracer/image.h"
#include "reporter/tracer/stops.h"

namespace umaskaudit::tracer {

namespace {

constexpr int kCallStop = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD

// The kernel will restart the call (ERESTARTSYS and its siblings; <linux/errno.h>).
bool is_restarted(std::int64_t result) { return result <= -512 && result >= -516; }

std::uint64_t event_message(pid_t tid) {
  unsigned long message = 0;
  return ptrace(PTRACE_GETEVENTMSG, tid, 0, &message) == 0 ? message : 0;
}

trace::Origin origin_of(int event) {
  if (event == PTRACE_EVENT_VFORK) return trace::Origin::vfork;
  return event == PTRACE_EVENT_FORK ? trace::Origin::fork : trace::Origin::clone;
}

}  // namespace

Process::Process(pid_t of)
    : pid(of),
      descriptor(static_cast<int>(syscall(SYS_pidfd_open, of, 0))),
      space(std::make_unique<AddressSpace>(of)) {}

Process::~Process() {
  if (descriptor >= 0) close(descriptor);
}

Tracer::Tracer(const TracerOptions& options, Requests* requests)
    : options_(options),
      requests_(requests),
      kernel_tells_creations_(kernel_tells_creations(options.recording.directory)) {}

Tracer::~Tracer() = default;

Task* Tracer::find(pid_t tid) {
  const auto found = tasks_.find(tid);
  return found != tasks_.end() ? found->second.get() : nullptr;
}

Task& Tracer::add(pid_t tid, std::shared_ptr<Process> process) {
  auto task = std::make_unique<Task>();
  task->tid = tid;
  task->process = std::move(process);
  return *(tasks_[tid] = std::move(task));
}

// It has ended, or was detached.
void Tracer::forget(pid_t tid) {
  Task* const task = find(tid);
  if (task == nullptr) return;
  if (task->release && requests_ != nullptr) requests_->answer(*task->release, 0);
  leave(*task);
  if (task->context) --task->context->tasks;
  tasks_.erase(tid);
}

void Tracer::detach(Task& task, int signal) {
  ptrace(PTRACE_DETACH, task.tid, 0, signal);
  forget(task.tid);
}

void Tracer::go_on(Task& task, int signal) {
  if (stopping_) return detach(task, signal);
  const bool unseen = task.passing || (task.process->filtered && !task.awaits_exit);
  if (ptrace(unseen ? PTRACE_CONT : PTRACE_SYSCALL, task.tid, 0, signal) != 0 && errno != ESRCH)
    detach(task, signal);
}

std::uint32_t Tracer::stack_of(Task& task, std::uint64_t pc, std::uint64_t sp) {
  user_regs_struct registers{};
  iovec space{&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, task.tid, NT_PRSTATUS, &space) != 0) return 0;
#if defined(__x86_64__)
  const std::uint64_t fp = registers.rbp;
#else
  const std::uint64_t fp = registers.regs[29];
#endif
  Process& process = *task.process;
  const RemoteStack stack = process.space->walk(task.tid, {pc, sp, fp}, process.recording->depth());
  return process.recording->add_stack({process.pid, task.tid}, *process.space, stack);
}

void Tracer::run(const volatile sig_atomic_t* stop) {
  for (;;) {
    if (stop != nullptr && *stop != 0 && !stopping_) let_all_go();
    if (requests_ != nullptr) serve_requests();
    admit_late();
    if (tasks_.empty() && early_.empty()) {
      if (requests_ == nullptr || requests_->over() || stopping_) return;
      requests_->wait();
      continue;
    }
    int status = 0;
    const pid_t tid = waitpid(-1, &status, __WALL);
    if (tid < 0 && errno == ECHILD) {
      tasks_.clear();  // they have ended, or another tracer has them
      early_.clear();
    }
    if (tid > 0) on_stop(tid, status);
  }
}

void Tracer::on_end(pid_t tid) {
  forget(tid);
  // A task that waits for an ended parent would wait forever.
  std::erase_if(early_, [&](const std::pair<const pid_t, pid_t>& early) {
    if (early.second != 0 && early.second != tid) return false;
    ptrace(PTRACE_DETACH, early.first, 0, 0);
    return true;
  });
}

void Tracer::on_stop(pid_t tid, int status) {
  if (WIFEXITED(status) || WIFSIGNALED(status)) return on_end(tid);
  Task* const task = find(tid);
  if (task == nullptr) return on_unknown(tid);
  const int signal = WSTOPSIG(status), event = status >> 16;
  if (signal == kCallStop) return on_call(*task, false);
  if (event == PTRACE_EVENT_SECCOMP) return on_call(*task, true);
  if (event != 0) return on_event(*task, event, signal);
  if (task->injection != nullptr) return on_injected(*task, signal);
  if (task->release) return detach(*task, signal);
  go_on(*task, signal);
}

void Tracer::on_injected(Task& task, int signal) {
  const auto done = task.injection->on_signal(signal);
  if (!done) return;
  task.process->filtered = *done;
  const std::unique_ptr<Injection> injection = std::move(task.injection);
  go_on(task, injection->deliver());
}

void Tracer::on_event(Task& task, int event, int signal) {
  switch (event) {
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
      return on_new_task(task, event);
    case PTRACE_EVENT_EXEC:
      return on_exec(task);
    case PTRACE_EVENT_STOP:
      if (task.release) return detach(task, 0);
      // A group-stop lasts until SIGCONT (ptrace(2)).
      if (signal != SIGTRAP && !stopping_) {
        ptrace(PTRACE_LISTEN, task.tid, 0, 0);
        return;
      }
      return go_on(task);
    default:
      return go_on(task);
  }
}

// The first stop of a task may come before its parent's event: then /proc tells the parent.
void Tracer::on_unknown(pid_t tid) {
  const auto facts = status_of(tid);
  Task* maker = nullptr;
  for (const auto& [other, task] : tasks_) {
    if (!facts) break;
    const pid_t process = task->process->pid;
    if (process == facts->process || (maker == nullptr && process == facts->parent))
      maker = task.get();
    if (process == facts->process) break;
  }
  // Only the parent's event tells what to do with a child of a program that the library records.
  if (maker == nullptr || maker->passing) {
    early_[tid] = maker != nullptr ? maker->tid : 0;
    return;
  }
  Task& child = adopt(tid, *maker, trace::Origin::clone);
  if (child.release) return detach(child, 0);
  go_on(child);
}

// `origin`: for a process; a thread has none.
Task& Tracer::adopt(pid_t tid, Task& parent, trace::Origin origin) {
  const auto facts = status_of(tid);
  const bool thread = facts && facts->process == parent.process->pid;
  std::shared_ptr<Process> process = parent.process;
  if (!thread) {
    process = std::make_shared<Process>(tid);
    process->recording = parent.process->recording;
    process->filtered = parent.process->filtered;
  }
  Task& child = add(tid, process);
  child.passing = parent.passing;
  if (process->recording == nullptr) {
    // For a process that records itself, only the announced child is attached.
    const bool expected = parent.expects_child && origin == trace::Origin::vfork && !thread;
    if (!expected && !process->filtered) child.release = 0;
    return child;
  }
  const auto shares = share_context(parent.tid, tid);
  if (shares.value_or(thread)) {
    child.context = parent.context;
  } else {
    child.context = std::make_shared<FsContext>();
    // Another thread may have changed the parent's meanwhile.
    const bool sure = parent.context->tasks == 1 || !facts || !facts->mask;
    child.context->mask = sure ? parent.context->mask : *facts->mask;
    child.context->source = sure ? trace::MaskSource::inherited : trace::MaskSource::proc;
  }
  ++child.context->tasks;
  const bool own = child.context != parent.context;
  const std::uint32_t context = context_id(child, own ? origin : trace::Origin::unknown,
                                           own ? parent.context.get() : nullptr);
  process->recording->add_thread({process->pid, tid}, context, name_of_thread(tid));
  return child;
}

void Tracer::on_new_task(Task& parent, int event) {
  const auto tid = static_cast<pid_t>(event_message(parent.tid));
  const bool early = early_.erase(tid) != 0;
  if (tid != 0 && find(tid) == nullptr) {
    const std::uint64_t now = now_ns();
    Task& child = adopt(tid, parent, origin_of(event));
    if (parent.process->recording != nullptr && child.process != parent.process) {
      trace::Fork record{};
      record.child = static_cast<std::uint32_t>(tid);
      record.context = context_id(parent);
      record.change = parent.context->changes;
      record.call = static_cast<std::uint16_t>(kCallCount);
      record.origin = static_cast<std::uint8_t>(origin_of(event));
      parent.process->recording->writer().write(trace::RecordType::fork,
                                                {parent.process->pid, parent.tid, now}, record);
    }
    if (early && child.release) {
      detach(child, 0);
    } else if (early) {
      go_on(child);
    }
  }
  go_on(parent);
}

void Tracer::on_exec(Task& task) {
  // exec by another thread than the leader: it gets the leader's id, and all others are gone.
  const auto former = static_cast<pid_t>(event_message(task.tid));
  Task* subject = &task;
  if (former != task.tid && find(former) != nullptr) {
    const pid_t leader = task.tid;
    TaskPtr thread = std::move(tasks_[former]);
    tasks_.erase(former);
    forget(leader);
    thread->tid = leader;
    subject = (tasks_[leader] = std::move(thread)).get();
  }
  Task& now = *subject;
  record_exec(now);
  leave(now);
  now.call = {};
  now.awaits_exit = false;
  const std::shared_ptr<Process> before = now.process;
  now.process = std::make_shared<Process>(now.tid);
  now.process->filtered = before->filtered;
  if (loads_library(now.tid, options_.library)) {
    now.passing = true;
    if (!now.process->filtered) return detach(now, 0);
    return go_on(now);
  }
  const auto facts = status_of(now.tid);
  now.awaits_injection = options_.filter && !now.process->filtered && !stopping_;
  now.process->recording =
      std::make_shared<Recording>(options_.recording, now.tid, facts ? facts->parent : 0);
  // The mask stays; changes by other tasks are not seen if the library recorded before.
  const FsContext* const old = before->recording != nullptr ? now.context.get() : nullptr;
  if (old == nullptr || old->tasks == 1) {
    const std::shared_ptr<FsContext> own = context_by_proc(now.tid);
    if (old != nullptr) {
      own->mask = old->mask;
      own->source = trace::MaskSource::inherited;
    }
    if (now.context != nullptr) --now.context->tasks;
    now.context = own;
  }
  now.passing = false;
  const std::uint32_t context = context_id(now, trace::Origin::exec);
  now.process->recording->add_thread({now.tid, now.tid}, context, name_of_thread(now.tid));
  go_on(now);
}

void Tracer::on_call(Task& task, bool by_filter) {
  CallStop stop;
  const bool known = read_call_stop(task.tid, stop);
  if (known && !stop.entry && std::exchange(task.awaits_injection, false)) {
    task.injection = Injection::begin(task.tid, geteuid() == 0);
    if (task.injection != nullptr) return;
  }
  if (!known || task.process->recording == nullptr) return go_on(task);
  if (stop.entry || by_filter) {
    task.call = {};
    task.awaits_exit = false;
    task.call.row = find_call(stop.arch, stop.number);
    if (task.call.row == nullptr) return go_on(task);
    std::copy(std::begin(stop.arguments), std::end(stop.arguments), task.call.arguments);
    return on_entry(task, stop.pc, stop.sp);
  }
  if (task.awaits_exit) on_exit(task, stop.result);
  task.awaits_exit = false;
  go_on(task);
}

// Set-user-ID programs lose their privileges under a tracer that is not root.
bool Tracer::must_let_go(Task& task) {
  const PendingCall& call = task.call;
  if (call.row->effect != Effect::exec || geteuid() == 0) return false;
  if (!gains_rights(task.tid, place_of(task, directory_of(call), call.path))) return false;
  record_exec(task);
  task.process->recording->add_blind_spot({task.process->pid, task.tid},
                                          trace::Blind::exec_privileged, number_in_trace(*call.row),
                                          context_id(task), call.stack, call.path);
  return true;
}

void Tracer::on_entry(Task& task, std::uint64_t pc, std::uint64_t sp) {
  PendingCall& call = task.call;
  if (!read_call(task, kernel_tells_creations_)) {
    call = {};
    return go_on(task);
  }
  call.time_ns = now_ns();
  const Effect effect = call.row->effect;
  if (effect == Effect::owner) {
    call.set_id = set_id_bits(task);
    if (call.set_id == 0) return go_on(task);
  }
  const bool named = effect != Effect::rename && effect != Effect::link &&
                     effect != Effect::symlink && effect != Effect::unlink;
  if (named && task.process->recording->wants_stack(effect == Effect::mask))
    call.stack = stack_of(task, pc, sp);
  if (must_let_go(task)) return detach(task, 0);
  if (effect == Effect::mask && task.process->filtered && task.context->tasks == 1) {
    record_result(task, task.context->mask);
    return go_on(task);
  }
  const bool gated = effect == Effect::mask || is_creating(effect);
  task.awaits_exit = true;
  if (gated && !task.context->admits(effect == Effect::mask)) return hold(task);
  if (gated) enter(task);
  go_on(task);
}

void Tracer::on_exit(Task& task, std::int64_t result) {
  if (!is_restarted(result)) record_result(task, result);
  leave(task);
}

}  // namespace umaskaudit::tracer

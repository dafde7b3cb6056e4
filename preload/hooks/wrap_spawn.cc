// Wrappers of posix_spawn: the child shares our memory but never runs our code, so its actions are
// recorded here.
// Must never change which program runs, with which arguments, or why it fails.

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>

#include <new>

#include "preload/hooks/shapes.h"
#include "preload/hooks/wrapper.h"
#include "preload/mask/fs_context.h"
#include "preload/object/creation.h"
#include "preload/process/exec_call.h"
#include "preload/record/recorder.h"
#include "preload/sys/symbol_version.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// glibc's private list in posix_spawn_file_actions_t. Its layout is trusted only after an addopen
// call was found in it with its arguments.
struct SpawnAction {
  enum Tag : int { close_fd, dup_fd, open_file, change_directory, change_directory_fd };
  int tag;
  alignas(8) int fd;  // begins a union that holds pointers
  const char* path;
  int flags;
  mode_t mode;
};
struct SpawnActions {
  int allocated;
  int used;
  const SpawnAction* actions;
};
constinit std::atomic<bool> layout_known = false;

const SpawnActions& as_list(const posix_spawn_file_actions_t* actions) {
  return *reinterpret_cast<const SpawnActions*>(actions);
}

// Files that the child's file actions may create: looked at before and after the call, with the
// mask that the child inherits. The child itself cannot be asked.
class OpenActions {
 public:
  OpenActions(const posix_spawn_file_actions_t* actions, const ExecCall& exec, const Task& task,
              const Snapshot& before)
      : exec_(exec), task_(task), before_(before) {
    if (actions == nullptr || !layout_known.load(std::memory_order_relaxed)) return;
    const SpawnActions& list = as_list(actions);
    for (int i = 0; i < list.used && count_ < kMost; ++i) {
      const SpawnAction& action = list.actions[i];
      // A chdir action: later relative paths start elsewhere.
      if (action.tag == SpawnAction::change_directory ||
          action.tag == SpawnAction::change_directory_fd) {
        return;
      }
      if (action.tag != SpawnAction::open_file || (action.flags & O_CREAT) == 0) continue;
      if (memory_.get() == nullptr) {
        count_loss(trace::Loss::no_memory);
        return;
      }
      Opened& opened = *new (memory_.get() + count_ * sizeof(Opened)) Opened{&action, {}};
      Creation(request(action), task_, before_).look(opened.look);
      ++count_;
    }
  }

  void record(std::uint32_t child) const {
    if (count_ == 0) return;
    // Until its exec the child has the name of the thread that made it.
    write_thread_record({child, child}, context_id(task_), 0);
    const Task author{child, child, task_.context};
    const auto* opened = reinterpret_cast<const Opened*>(memory_.get());
    for (const Opened* const end = opened + count_; opened != end; ++opened) {
      const Request made = request(*opened->action);
      Creation(made, author, before_).made_or_met_at_path(opened->look);
    }
  }

 private:
  struct Opened {
    const SpawnAction* action;
    Creation::Look look;
  };
  static constexpr unsigned kMost = 8;
  static_assert(kMost * sizeof(Opened) <= Scratch::kSize);

  Request request(const SpawnAction& action) const {
    return {Call::posix_spawn_file_actions_addopen,
            trace::Kind::file,
            AT_FDCWD,
            action.path,
            action.flags,
            action.mode,
            exec_.stack};
  }

  const ExecCall& exec_;
  const Task& task_;
  const Snapshot& before_;
  Scratch memory_;  // `count_` Opened: too large for a small stack
  unsigned count_ = 0;
};

// Writes the records of a child that execs without running our code, with the time before the call,
// because the new image may begin before the parent returns.
void record_spawn(const Task& task, const ExecCall& exec, const Snapshot& before,
                  std::uint64_t before_ns, pid_t child, const ExecOutlook& outlook) {
  const auto pid = static_cast<std::uint32_t>(child);
  const Author parent{task.tid, task.pid, before_ns};
  const Author own{pid, pid, before_ns};
  trace::Context context{};
  context.id = next_id(trace::IdSpace::context);
  context.parent = context_id(task);
  context.parent_change = before.change;
  context.owner = pid;
  context.origin = static_cast<std::uint8_t>(trace::Origin::vfork);
  context.mask_source = static_cast<std::uint8_t>(trace::MaskSource::inherited);
  context.mask = before.mask;
  write_record(trace::RecordType::context, own, context);
  trace::Fork fork{};
  fork.child = pid;
  fork.context = context.parent;
  fork.change = before.change;
  fork.call = static_cast<std::uint16_t>(exec.call);
  fork.origin = static_cast<std::uint8_t>(trace::Origin::vfork);
  write_record(trace::RecordType::fork, parent, fork);
  record_exec(own, exec, context.id, 0, outlook);
}

// Like record_and_exec, in the parent; `real(pid, environment)` returns an error number. libc
// stores the pid while all signals are blocked, so that a SIGCHLD handler finds it, and only on
// success; so the program's own pointer is passed. Not inlined: its frame is too large for a small
// stack.
template <typename Real>
[[gnu::noinline]] int record_and_spawn(const ExecCall& exec, pid_t* pid,
                                       const posix_spawn_file_actions_t* actions,
                                       char* const* environment, Real real) {
  const int saved = errno;
  if (!recording()) {
    if (preload_entry()[0] == '\0') return real(pid, environment);
    ExecOutlook outlook(exec, environment, false);
    outlook.hand_over = hand_over_call(trace::HandOverKind::follow_child, outlook.obstacle);
    errno = saved;
    const int error = call_with_environment(
        outlook, environment, [&](char* const* used) { return real(pid, used); },
        [](int result) { return result; }, [] {});
    tell_call_returned(outlook.hand_over);
    return error;
  }
  const Task task = enter();
  const Snapshot before = met_snapshot(task);
  const std::uint64_t before_ns = sys::now_ns();
  ExecOutlook outlook(exec, environment);
  outlook.hand_over = hand_over_call(trace::HandOverKind::follow_child, outlook.obstacle);
  const OpenActions opens(actions, exec, task, before);
  errno = saved;
  pid_t unnamed = 0;
  pid_t* stored = pid != nullptr ? pid : &unnamed;
  const int error = call_with_environment(
      outlook, environment, [&](char* const* used) { return real(stored, used); },
      [](int result) { return result; },
      [&] {
        report_obstacle({task.tid, task.pid}, exec, context_id(task),
                        trace::Blind::exec_environment);
      });
  const int after = errno;
  tell_call_returned(outlook.hand_over);
  // A signal handler may have stored another value there by now.
  const pid_t child = error == 0 ? *static_cast<volatile pid_t*>(stored) : 0;
  if (child > 0) {
    opens.record(static_cast<std::uint32_t>(child));
    record_spawn(task, exec, before, before_ns, child, outlook);
  }
  errno = after;
  return error;
}

// `now`, or the old version that the caller was linked against.
template <typename Function>
Function version_for(const ExecCall& exec, Function now) {
  void* old = old_spawn_functions[exec.call == Call::posix_spawnp ? 1 : 0];
  if (old == nullptr || old == reinterpret_cast<void*>(now)) return now;
  if (!binds_to_version(exec.stack.pc, call_name(exec.call), kOldSpawnVersion)) return now;
  return reinterpret_cast<Function>(old);
}

}  // namespace

}  // namespace umaskaudit::shim

using namespace umaskaudit::shim;  // NOLINT: wrappers are extern "C"

WRAPPER(int, posix_spawn_file_actions_addopen,
        (posix_spawn_file_actions_t * actions, int fd, const char* path, int flags, mode_t mode)) {
  const int error = REAL(posix_spawn_file_actions_addopen)(actions, fd, path, flags, mode);
  if (error == 0 && !layout_known.load(std::memory_order_relaxed)) {
    const SpawnActions& list = as_list(actions);
    if (list.used > 0 && list.used <= list.allocated) {
      const SpawnAction& last = list.actions[list.used - 1];
      layout_known = last.tag == SpawnAction::open_file && last.fd == fd && last.flags == flags &&
                     last.mode == mode && strcmp(last.path, path) == 0;
    }
  }
  return error;
}

WRAPPER(int, posix_spawn,
        (pid_t * pid, const char* path, const posix_spawn_file_actions_t* actions,
         const posix_spawnattr_t* attributes, char* const* argv, char* const* env)) {
  ExecCall exec = EXEC_CALL(posix_spawn, path, false);
  const auto real = version_for(exec, REAL(posix_spawn));
  exec.shell = real != REAL(posix_spawn);  // before glibc 2.15
  if (recording() && cannot_be_noted(kStackForExec)) {
    return real(pid, path, actions, attributes, argv, env);
  }
  return record_and_spawn(exec, pid, actions, env, [&](pid_t* child, char* const* used) {
    return real(child, path, actions, attributes, argv, used);
  });
}

WRAPPER(int, posix_spawnp,
        (pid_t * pid, const char* path, const posix_spawn_file_actions_t* actions,
         const posix_spawnattr_t* attributes, char* const* argv, char* const* env)) {
  ExecCall exec = EXEC_CALL(posix_spawnp, path, true);
  const auto real = version_for(exec, REAL(posix_spawnp));
  exec.shell = real != REAL(posix_spawnp);  // before glibc 2.15
  if (recording() && cannot_be_noted(kStackForExec)) {
    return real(pid, path, actions, attributes, argv, env);
  }
  return record_and_spawn(exec, pid, actions, env, [&](pid_t* child, char* const* used) {
    return real(child, path, actions, attributes, argv, used);
  });
}

// Wrappers of exec: record it, keep the new image recorded, and name programs that cannot be.
// Must never change which program runs, with which arguments, or why it fails.

#include <alloca.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "preload/hooks/shapes.h"
#include "preload/hooks/wrapper.h"
#include "preload/log/blind_spot.h"
#include "preload/mask/fs_context.h"
#include "preload/process/exec_call.h"
#include "preload/stack/stacks.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// The kernel has not read this path, so the pointer may be invalid.
const char* readable_path(const char* path) {
  return sys::Scout().can_read_text(path, trace::kMaxPath) ? path : "";
}

}  // namespace

[[gnu::noinline]] void report_obstacle(const Author& author, const ExecCall& exec,
                                       std::uint32_t context, trace::Blind reason,
                                       HandOver hand_over) {
  const Scratch scratch;
  const char* path = readable_path(exec.path);
  const bool says_more = reason == trace::Blind::exec_run_directory || hand_over.error() != 0;
  if (says_more && scratch.get() != nullptr) {
    TextBuffer text(scratch.get(), Scratch::kSize);
    text.put(path);
    describe_place(reason, text);
    describe_refusal(hand_over, text);
    text.end();
    path = text.begin();
  }
  report_blind_spot(author, reason, exec.call, context, 0, path,
                    static_cast<std::uint32_t>(strlen(path)));
}

Obstacle find_obstacle_of_exec(const ExecCall& exec) {
  const Obstacle target =
      find_obstacle({exec.dirfd, readable_path(exec.path), exec.search, exec.shell});
  // A static program passes LD_PRELOAD on to its children, if they can load us.
  const char* entry = preload_entry();
  if (target.drop || entry[0] == '\0') return target;
  const Obstacle place = find_obstacle_of_place(entry);
  if (target.found) return {true, target.reason, place.drop, target.starts};
  return {place.found && target.starts, place.reason, place.drop, target.starts};
}

ExecOutlook::ExecOutlook(const ExecCall& exec, char* const* environment, bool recorded)
    : obstacle(find_obstacle_of_exec(exec)),
      plan(plan_environment(environment, obstacle.drop)),
      room(plan.intact() || !(plan.drops_ours || (recorded && process.options.follow))
               ? 0
               : plan.bytes()),
      change(room.get() != nullptr) {}

void record_exec(const Author& author, const ExecCall& exec, std::uint32_t context,
                 std::uint64_t change, const ExecOutlook& outlook) {
  CapturedStack stack;
  capture_stack(Event::other, author, exec.stack, stack);
  const char* path = readable_path(exec.path);
  trace::Exec record{};
  record.context = context;
  record.stack = stack.id;
  record.change = change;
  record.call = static_cast<std::uint16_t>(exec.call);
  record.repaired = outlook.repaired() ? 1 : 0;
  record.path_length = static_cast<std::uint32_t>(strlen(path));
  write_record(trace::RecordType::exec, author, record, {path, record.path_length});
  if (outlook.hand_over.taken()) return;
  if (outlook.obstacle.found) {
    report_obstacle(author, exec, context, outlook.obstacle.reason, outlook.hand_over);
  } else if (!outlook.plan.intact() && !outlook.change) {
    report_obstacle(author, exec, context, trace::Blind::exec_environment);
  }
}

namespace {

// Runs `real(environment)`, which returns only when it failed.
template <typename Real>
int record_and_exec(const ExecCall& exec, char* const* environment, Real real) {
  const bool recorded = recording();
  if (recorded ? cannot_be_noted(kStackForExec) : preload_entry()[0] == '\0') {
    return real(environment);
  }
  const int saved = errno;
  const Task task = recorded ? enter() : Task{};
  const Author author{task.tid, task.pid};
  ExecOutlook outlook(exec, environment, recorded);
  outlook.hand_over = hand_over_call(trace::HandOverKind::take_exec, outlook.obstacle);
  if (recorded) record_exec(author, exec, context_id(task), changes(task), outlook);
  errno = saved;
  const int result = call_with_environment(
      outlook, environment, real, [](int) { return errno; },
      [&] {
        if (!recorded) return;
        report_obstacle(author, exec, context_id(task), trace::Blind::exec_environment);
      });
  const int error = errno;
  tell_call_returned(outlook.hand_over);
  if (recorded) {
    write_record(trace::RecordType::exec_failed, author, trace::ExecFailed{error, 0});
  }
  errno = error;
  return result;
}

}  // namespace

}  // namespace umaskaudit::shim

using namespace umaskaudit::shim;  // NOLINT: wrappers are extern "C"

WRAPPER(int, execve, (const char* path, char* const* argv, char* const* env)) {
  return record_and_exec(EXEC_CALL(execve, path, false), env,
                         [&](char* const* used) { return REAL(execve)(path, argv, used); });
}

WRAPPER(int, execvpe, (const char* file, char* const* argv, char* const* env)) {
  return record_and_exec(EXEC_CALL_IN_PATH(execvpe, file), env,
                         [&](char* const* used) { return REAL(execvpe)(file, argv, used); });
}

// With an unchanged environment, the same call that the program made; with a changed one, its
// sibling that takes an environment.
WRAPPER(int, execv, (const char* path, char* const* argv)) {
  return record_and_exec(EXEC_CALL(execv, path, false), environ, [&](char* const* used) {
    return used == environ ? REAL(execv)(path, argv) : REAL(execve)(path, argv, used);
  });
}

WRAPPER(int, execvp, (const char* file, char* const* argv)) {
  return record_and_exec(EXEC_CALL_IN_PATH(execvp, file), environ, [&](char* const* used) {
    return used == environ ? REAL(execvp)(file, argv) : REAL(execvpe)(file, argv, used);
  });
}

WRAPPER(int, fexecve, (int fd, char* const* argv, char* const* env)) {
  return record_and_exec(EXEC_CALL_AT(fexecve, fd, ""), env,
                         [&](char* const* used) { return REAL(fexecve)(fd, argv, used); });
}

WRAPPER(int, execveat,
        (int dirfd, const char* path, char* const* argv, char* const* env, int flags)) {
  return record_and_exec(EXEC_CALL_AT(execveat, dirfd, path), env, [&](char* const* used) {
    return REAL(execveat)(dirfd, path, argv, used, flags);
  });
}

// The list forms are collected into an array on the stack, as libc itself does (exec(3)).
#define COLLECT_ARGUMENTS(first, argv, list)                                       \
  va_list list;                                                                    \
  va_start(list, first);                                                           \
  size_t argument_count = 1;                                                       \
  while (va_arg(list, char*) != nullptr) ++argument_count;                         \
  va_end(list);                                                                    \
  auto** argv = static_cast<char**>(alloca((argument_count + 1) * sizeof(char*))); \
  va_start(list, first);                                                           \
  argv[0] = const_cast<char*>(first);                                              \
  for (size_t i = 1; i <= argument_count; ++i) argv[i] = va_arg(list, char*);

UMASKAUDIT_EXPORT int umaskaudit_execl(const char* path, const char* arg, ...) __asm__("execl");
int umaskaudit_execl(const char* path, const char* arg, ...) {
  COLLECT_ARGUMENTS(arg, argv, list)
  va_end(list);
  return record_and_exec(EXEC_CALL(execl, path, false), environ,
                         [&](char* const* used) { return REAL(execve)(path, argv, used); });
}

UMASKAUDIT_EXPORT int umaskaudit_execlp(const char* file, const char* arg, ...) __asm__("execlp");
int umaskaudit_execlp(const char* file, const char* arg, ...) {
  COLLECT_ARGUMENTS(arg, argv, list)
  va_end(list);
  return record_and_exec(EXEC_CALL_IN_PATH(execlp, file), environ, [&](char* const* used) {
    return used == environ ? REAL(execvp)(file, argv) : REAL(execvpe)(file, argv, used);
  });
}

UMASKAUDIT_EXPORT int umaskaudit_execle(const char* path, const char* arg, ...) __asm__("execle");
int umaskaudit_execle(const char* path, const char* arg, ...) {
  COLLECT_ARGUMENTS(arg, argv, list)
  auto* const* env = va_arg(list, char* const*);
  va_end(list);
  return record_and_exec(EXEC_CALL(execle, path, false), env,
                         [&](char* const* used) { return REAL(execve)(path, argv, used); });
}

// Wrappers of system(3), popen(3), wordexp(3): libc starts /bin/sh itself, with `environ`, without
// any exec wrapper.
// Must never change strings that the program put into its environment: only the initial LD_PRELOAD
// string is changed, and only our entry in it.

#include <errno.h>
#include <string.h>
#include <wordexp.h>

#include <cstdio>

#include "preload/hooks/wrapper.h"
#include "preload/log/blind_spot.h"
#include "preload/mask/fs_context.h"
#include "preload/process/exec_call.h"
#include "preload/record/recorder.h"
#include "preload/sys/own_stack.h"

namespace umaskaudit::shim {

namespace {

// Before libc starts a shell: blanks our entry where it cannot be loaded, restores it where it can
// again, asks the tracer, and records what will not be followed, and the call. `origin`: vfork
// where the call returns when the shell has ended; the shell's own record has the number of its
// parent.
HandOver prepare_shell(const ExecCall& exec, trace::Origin origin) {
  const bool recorded = recording();
  if (preload_entry()[0] == '\0') return {};
  const int saved = errno;
  const Obstacle obstacle = find_obstacle_of_exec(exec);
  set_own_entry_in_environ(!obstacle.drop);
  const HandOver hand_over = hand_over_call(trace::HandOverKind::follow_child, obstacle);
  if (recorded && !hand_over.taken()) {
    const Task task = enter();
    const Author author{task.tid, task.pid};
    if (obstacle.found) {
      report_obstacle(author, exec, context_id(task), obstacle.reason, hand_over);
    } else if (!plan_environment(environ).intact()) {
      report_obstacle(author, exec, context_id(task), trace::Blind::exec_environment);
    }
  }
  if (recorded && process.trace && !is_short_of_stack(exec.stack.sp, kStackForExec)) {
    const Task task = enter();
    record_fork(task, exec.call, exec.stack, 0, met_snapshot(task).change, origin);
  }
  errno = saved;
  return hand_over;
}

constexpr char kShell[] = "/bin/sh";

bool runs_commands(const char* words, int flags) {
  return words != nullptr && (flags & WRDE_NOCMD) == 0 &&
         (strchr(words, '`') != nullptr || strstr(words, "$(") != nullptr);
}

}  // namespace

}  // namespace umaskaudit::shim

using namespace umaskaudit::shim;  // NOLINT: wrappers are extern "C"

WRAPPER(int, system, (const char* command)) {
  HandOver hand_over;
  if (command != nullptr)
    hand_over = prepare_shell(EXEC_CALL(system, kShell, false), umaskaudit::trace::Origin::vfork);
  const int status = REAL(system)(command);
  tell_call_returned(hand_over);
  return status;
}

WRAPPER(FILE*, popen, (const char* command, const char* mode)) {
  const HandOver hand_over =
      prepare_shell(EXEC_CALL(popen, kShell, false), umaskaudit::trace::Origin::fork);
  FILE* const stream = REAL(popen)(command, mode);
  tell_call_returned(hand_over);
  return stream;
}

// The same function under its older name.
WRAPPER(FILE*, _IO_popen, (const char* command, const char* mode)) {
  const HandOver hand_over =
      prepare_shell(EXEC_CALL(_IO_popen, kShell, false), umaskaudit::trace::Origin::fork);
  FILE* const stream = REAL(_IO_popen)(command, mode);
  tell_call_returned(hand_over);
  return stream;
}

WRAPPER(int, wordexp, (const char* words, wordexp_t* out, int flags)) {
  HandOver hand_over;
  if (runs_commands(words, flags))
    hand_over = prepare_shell(EXEC_CALL(wordexp, kShell, false), umaskaudit::trace::Origin::vfork);
  const int error = REAL(wordexp)(words, out, flags);
  tell_call_returned(hand_over);
  return error;
}

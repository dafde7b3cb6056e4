// system(3), popen(3), wordexp(3): libc starts /bin/sh by itself, with `environ` as it stands, past
// every wrapper of exec.
// Must never touch what the program put into its environment: only the string that `run` or the
// user gave us at the start is changed, and only our own entry in it.

#include <errno.h>
#include <string.h>
#include <wordexp.h>

#include <cstdio>

#include "preload/hooks/wrapper.h"
#include "preload/log/blind_spot.h"
#include "preload/mask/fs_context.h"
#include "preload/process/exec_call.h"
#include "preload/record/recorder.h"

namespace umaskaudit::shim {

namespace {

// Before libc starts a shell: takes our entry out where it cannot be loaded, puts it back where it
// can again, and says what will not be followed.
void prepare_shell(const ExecCall& exec) {
  const bool recorded = recording();
  if (preload_entry()[0] == '\0') return;
  const int saved = errno;
  const Obstacle obstacle = find_obstacle_of_exec(exec);
  set_own_entry_in_environ(!obstacle.drop);
  if (recorded) {
    const Task task = enter();
    const Author author{task.tid, task.pid};
    if (obstacle.found) {
      report_obstacle(author, exec, context_id(task), obstacle.reason);
    } else if (!plan_environment(environ).intact()) {
      report_obstacle(author, exec, context_id(task), trace::Blind::exec_environment);
    }
  }
  errno = saved;
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
  if (command != nullptr) prepare_shell(EXEC_CALL(system, kShell, false));
  return REAL(system)(command);
}

WRAPPER(FILE*, popen, (const char* command, const char* mode)) {
  prepare_shell(EXEC_CALL(popen, kShell, false));
  return REAL(popen)(command, mode);
}

// The same function under its older name.
WRAPPER(FILE*, _IO_popen, (const char* command, const char* mode)) {
  prepare_shell(EXEC_CALL(_IO_popen, kShell, false));
  return REAL(_IO_popen)(command, mode);
}

WRAPPER(int, wordexp, (const char* words, wordexp_t* out, int flags)) {
  if (runs_commands(words, flags)) prepare_shell(EXEC_CALL(wordexp, kShell, false));
  return REAL(wordexp)(words, out, flags);
}

// What the exec and posix_spawn wrappers share: the plan before the call, and the record.
#pragma once

#include <fcntl.h>

#include <cerrno>

#include "preload/mask/fs_context.h"
#include "preload/process/exec_environment.h"
#include "preload/process/exec_place.h"
#include "preload/process/exec_target.h"
#include "preload/process/hand_over.h"
#include "preload/record/recorder.h"
#include "preload/sys/real.h"
#include "preload/sys/scratch.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

struct ExecCall {
  Call call;
  const char* path;  // as passed; "" where there is none
  bool search;       // along PATH
  StackStart stack;
  int dirfd = AT_FDCWD;  // the directory where `path` starts; with "": open on the program
  bool shell = false;    // as in ExecTarget
};

// The obstacle for the library in the new image, and the environment to pass: with our entry put
// back where follow= asks for it, or without it where the program cannot load us. The new
// environment is in mapped memory, because it may be larger than the stack.
struct ExecOutlook {
  // `recorded`: false where this image records nothing; then no entry is put back.
  ExecOutlook(const ExecCall& exec, char* const* environment, bool recorded = true);
  Obstacle obstacle;
  EnvironmentPlan plan;
  Room room;
  bool change;  // a changed environment is passed
  HandOver hand_over = {};
  bool repaired() const { return change && !plan.drops_ours; }
};

// The obstacle for `exec`, and whether our entry has to be dropped because of it.
Obstacle find_obstacle_of_exec(const ExecCall& exec);

// Writes a blind spot that names the program, what is wrong with the run directory if that is the
// obstacle, and why the tracer does not cover it, where it was asked.
void report_obstacle(const Author& author, const ExecCall& exec, std::uint32_t context,
                     trace::Blind reason, HandOver hand_over = {});

// Writes the exec record, and a blind spot if the new image is neither followed nor traced. May
// change errno.
void record_exec(const Author& author, const ExecCall& exec, std::uint32_t context,
                 std::uint64_t change, const ExecOutlook& outlook);

// Writes the record of a call of the calling thread that makes a process, with its stack. `child`:
// 0 where only libc knows it. `change`: the one in force, as in a Snapshot. May change errno.
[[gnu::noinline]] void record_fork(const Task& task, Call call, const StackStart& start,
                                   std::uint32_t child, std::uint64_t change, trace::Origin origin);

// Makes the call by `real(environment)`, with a changed environment if planned. If that is too big
// for the kernel (`error_of(result)` is E2BIG), calls `gave_up()` and retries with the program's
// own.
template <typename Real, typename ErrorOf, typename GaveUp>
auto call_with_environment(const ExecOutlook& outlook, char* const* environment, Real real,
                           ErrorOf error_of, GaveUp gave_up) {
  if (!outlook.change) return real(environment);
  const int saved = errno;
  const auto result = real(repair_environment(outlook.plan, environment, outlook.room.get()));
  if (error_of(result) != E2BIG) return result;
  gave_up();
  errno = saved;
  return real(environment);
}

}  // namespace umaskaudit::shim

#define EXEC_CALL(name, path, search)                                         \
  (::umaskaudit::shim::ExecCall{::umaskaudit::shim::Call::name, path, search, \
                                UMASKAUDIT_STACK_START()})
// For execvp(3) and its siblings.
#define EXEC_CALL_IN_PATH(name, file)                                       \
  (::umaskaudit::shim::ExecCall{::umaskaudit::shim::Call::name, file, true, \
                                UMASKAUDIT_STACK_START(), AT_FDCWD, true})
#define EXEC_CALL_AT(name, dirfd, path)                                      \
  (::umaskaudit::shim::ExecCall{::umaskaudit::shim::Call::name, path, false, \
                                UMASKAUDIT_STACK_START(), dirfd})

// What exec and posix_spawn share: the look ahead, and the record.
// Must never call malloc: see exec_environment.h.
#pragma once

#include <fcntl.h>

#include <cerrno>

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
  int dirfd = AT_FDCWD;  // where path starts; with "": open on the program
  bool shell = false;    // as in ExecTarget
};

// What stands in the way of the new image, and what its environment must become: ours put back
// where follow= wants it, or taken out where the program cannot load us. There is room for that,
// and not on the stack, for an environment may be larger than that is.
struct ExecOutlook {
  // `recorded`: false where this image records nothing; then nothing is put back.
  ExecOutlook(const ExecCall& exec, char* const* environment, bool recorded = true);
  Obstacle obstacle;
  EnvironmentPlan plan;
  Room room;
  bool change;  // the environment is not passed as it is
  HandOver hand_over = {};
  bool repaired() const { return change && !plan.drops_ours; }
};

// What stands in the way of `exec`, and whether our entry has to be dropped for it.
Obstacle find_obstacle_of_exec(const ExecCall& exec);

// A blind spot that names the program, for a run directory what is wrong with it, and why the
// tracer does not cover it, where it was asked.
void report_obstacle(const Author& author, const ExecCall& exec, std::uint32_t context,
                     trace::Blind reason, HandOver hand_over = {});

// The exec record, and a blind spot if the new image is neither followed nor traced. errno may
// change.
void record_exec(const Author& author, const ExecCall& exec, std::uint32_t context,
                 std::uint64_t change, const ExecOutlook& outlook);

// Makes the call by `real(environment)`, with the environment changed if need be. Where that makes
// it too big for the kernel (`error_of(result)` is E2BIG), it stays as the program made it, and
// `gave_up()` is told.
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
// execvp(3) and its siblings.
#define EXEC_CALL_IN_PATH(name, file)                                       \
  (::umaskaudit::shim::ExecCall{::umaskaudit::shim::Call::name, file, true, \
                                UMASKAUDIT_STACK_START(), AT_FDCWD, true})
#define EXEC_CALL_AT(name, dirfd, path)                                      \
  (::umaskaudit::shim::ExecCall{::umaskaudit::shim::Call::name, path, false, \
                                UMASKAUDIT_STACK_START(), dirfd})

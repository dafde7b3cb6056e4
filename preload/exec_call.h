// What exec and posix_spawn share: the look ahead, and the record.
// Must never call malloc: see exec_environment.h.
#pragma once

#include <cerrno>

#include "preload/exec_environment.h"
#include "preload/real.h"
#include "preload/scratch.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

struct ExecCall {
  Call call;
  const char* path;  // as passed; "" where there is none
  bool search;       // along PATH
  StackStart stack;
};

// What the environment lacks, and whether follow= wants it put back: then there is room for that,
// and not on the stack, for an environment may be larger than that is.
struct ExecOutlook {
  explicit ExecOutlook(char* const* environment);
  EnvironmentPlan plan;
  Room room;
  bool repair;
};

// The exec record, and a blind spot if the new image cannot be followed. errno may change.
void record_exec(const Author& author, const ExecCall& exec, std::uint32_t context,
                 std::uint64_t change, const ExecOutlook& outlook);

// Says that the new image will not be followed, as its environment was cleaned.
void report_cleaned_environment(const Author& author, const ExecCall& exec, std::uint32_t context);

// Makes the call by `real(environment)`, with the environment repaired if need be. Where that makes
// it too big for the kernel (`error_of(result)` is E2BIG), it stays as the program made it, and
// `gave_up()` is told.
template <typename Real, typename ErrorOf, typename GaveUp>
auto call_with_environment(const ExecOutlook& outlook, char* const* environment, Real real,
                           ErrorOf error_of, GaveUp gave_up) {
  if (!outlook.repair) return real(environment);
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

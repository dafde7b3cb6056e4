// What exec and posix_spawn share: the look ahead, and the record.
// Must never allocate: see exec_environment.h.
#pragma once

#include "preload/exec_environment.h"
#include "preload/real.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

struct ExecCall {
  Call call;
  const char* path;  // as passed; "" where there is none
  bool search;       // along PATH
  StackStart stack;
};

struct ExecOutlook {
  EnvironmentPlan plan;
  bool repair;
};

// What the environment lacks, and whether follow= wants it put back.
ExecOutlook look_ahead(char* const* environment);

// The exec record, and a blind spot if the new image cannot be followed. errno may change.
void record_exec(const Author& author, const ExecCall& exec, std::uint32_t context,
                 std::uint64_t change, const ExecOutlook& outlook);

}  // namespace umaskaudit::shim

#define EXEC_CALL(name, path, search)                                         \
  (::umaskaudit::shim::ExecCall{::umaskaudit::shim::Call::name, path, search, \
                                UMASKAUDIT_STACK_START()})

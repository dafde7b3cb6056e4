// Captures a stack and names it by an id that is written once.
// Must never change errno, block or allocate. Called by the shapes, after REAL().
#pragma once

#include <cstdint>

#include "preload/record/recorder.h"
#include "preload/script/script.h"
#include "preload/sys/scratch.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

inline constexpr unsigned kMaxDepth = 64;

enum class Event : std::uint8_t { mask_change, other };

struct CapturedStack {
  std::uint32_t id = 0;  // 0: none wanted, or lost
  StackWalk walk;
  // For the live log alone.
  const std::uintptr_t* pcs = nullptr;     // as many as the walk says
  const ScriptQuestion* script = nullptr;  // null: there is none to show
  Scratch memory;                          // where they are
};

// Walks from `start` if the option stacks= wants one for this event; `pcs` serve the live log.
// For the trace, interns it and gives its id.
void capture_stack(Event event, const Author& author, const StackStart& start, CapturedStack& out);

// After dlclose(3), before and behind it: the same addresses may mean other code.
void forget_stacks();

}  // namespace umaskaudit::shim

// Captures the calling stack and gives it an id; the stack itself is written once.
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
  // For the live log only.
  const std::uintptr_t* pcs = nullptr;     // as many as the walk says
  const ScriptQuestion* script = nullptr;  // null: there is none to show
  Scratch memory;                          // holds `pcs`
};

// Walks from `start` if the option stacks= wants a stack for this kind of event, interns the stack
// and returns its id; `pcs` are kept for the live log.
void capture_stack(Event event, const Author& author, const StackStart& start, CapturedStack& out);

// Before and after dlclose(3): the same addresses may name other code.
void forget_stacks();

}  // namespace umaskaudit::shim

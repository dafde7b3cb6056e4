// The stack walk where there is no table reader of our own: frame pointers all the way.
// See unwind.h for what it must never do.

#include "preload/unwind/memory.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

StackWalk walk_stack(const StackStart& start, std::uintptr_t* pcs, unsigned room, WalkWords*) {
  constexpr std::uintptr_t kLargestFrame = 1 << 20;
  StackWalk walk;
  walk.guessed = true;
  walk.interrupted = true;  // perhaps: signal frames cannot be told from others here
  StackMemory memory(start.sp);
  StackStart at = start;
  while (at.pc != 0) {
    if (walk.count == room) {
      walk.truncated = true;
      break;
    }
    pcs[walk.count++] = at.pc;
    StackStart caller{0, at.fp + 16, 0};
    if (at.fp < at.sp - 16 || at.fp - at.sp > kLargestFrame) break;
    if (!memory.read(at.fp, caller.fp) || !memory.read(at.fp + 8, caller.pc)) break;
    at = caller;
  }
  return walk;
}

StackWalk walk_stack(const StackStart& start, std::uintptr_t* pcs, unsigned room, WalkWords* words,
                     RuleSpace&, LinkedFrames*) {
  return walk_stack(start, pcs, room, words);
}

bool is_on_own_stack(const StackStart&, RuleSpace&) { return false; }

bool follow_frame_pointers_in(const CodeRange&) { return false; }

CodeRange tableless_code(std::uintptr_t) { return {}; }

void forget_code() {}

}  // namespace umaskaudit::shim

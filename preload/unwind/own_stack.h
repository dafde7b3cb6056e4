// How much of the calling thread's stack stays mapped for as long as the thread runs.
// Must never claim a page of another stack (coroutines, alternate stacks): those come and go.
// Async-signal-safe. Called by walks, to ask the kernel about pages once and not each time.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

struct StackRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool holds(std::uintptr_t address) const { return address - begin < end - begin; }
};

// The page of `sp`, which is in use, and the pages behind it up to the end of the stack, if `sp`
// lies in the thread's own stack and not too deep; else that page alone.
StackRange known_stack(std::uintptr_t sp);

// To be called once by a constructor: those run in the first thread, whose stack is the kernel's.
void remember_first_thread();

}  // namespace umaskaudit::shim

// The bounds of the calling thread's own stack, as kernel and libc know them.
// Must never claim memory beside them, however readable: coroutine stacks, alternate stacks and the
// stacks of clone(2) come and go. Async-signal-safe. Called by stack_memo.cc and by stacks.cc.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

// Empty when `end` is not above `begin`.
struct StackRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool holds(std::uintptr_t address) const { return address - begin < end - begin && begin < end; }
};

// From the lowest usable address to the thread's own description (struct pthread), or, of the
// first thread, to what the kernel put there for the program (getauxval(3)). Empty when they are
// not known: a task of clone(2), or a libc that is not glibc or musl. Asks the kernel once for each
// thread. What lies within may still be unmapped by the program: only a frame that is active is
// certain to be there.
StackRange own_stack();

// The page that holds `address`.
StackRange page_of(std::uintptr_t address);

// To be called once by a constructor: those run in the first thread, whose stack is the kernel's.
void remember_first_thread();

}  // namespace umaskaudit::shim

// The bounds of the calling thread's own stack, as kernel and libc know them.
// Must never claim memory beside them, however readable: coroutine stacks, alternate stacks and the
// stacks of clone(2) come and go. Async-signal-safe. Called by walk_cache.cc and by stacks.cc.
#pragma once

#include <pthread.h>

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

// What a recorded call takes at most, and what one takes that starts a program
// (tests/unit/preload/test_file.py measures both; tests/bench/costs.md says them).
inline constexpr std::uintptr_t kStackForCall = 2560;
inline constexpr std::uintptr_t kStackForExec = 4096;
// What a record without stack and path facts takes: with less, a call is only counted.
inline constexpr std::uintptr_t kStackForBrief = 1024;

// True when less than `least` bytes are left below `sp`: on the thread's own stack, or on an
// alternate one, about which the kernel is asked (sigaltstack(2)) at each call from a stack that is
// not the thread's own. Nothing says how large a coroutine's stack is: false.
bool is_short_of_stack(std::uintptr_t sp, std::uintptr_t least = kStackForCall);

// pthread_self(3). glibc and musl keep it where the thread pointer points to, on x86-64.
inline pthread_t thread_handle() {
#if defined(__x86_64__)
  return reinterpret_cast<pthread_t>(__builtin_thread_pointer());
#else
  return pthread_self();
#endif
}

// The page that holds `address`.
StackRange page_of(std::uintptr_t address);

// To be called once by a constructor: those run in the first thread, whose stack is the kernel's.
void remember_first_thread();

}  // namespace umaskaudit::shim

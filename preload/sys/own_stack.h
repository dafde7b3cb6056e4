// The bounds of the calling thread's own stack, from the kernel and libc.
// Must never include memory beside it, however readable: coroutine stacks, alternate stacks and
// stacks of clone(2) come and go. Async-signal-safe.
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

// From the lowest usable address to struct pthread, or, for the first thread, to the data that the
// kernel put above the stack for the program (getauxval(3)). Empty when not known: a task of
// clone(2), or a libc that is neither glibc nor musl. Asks the kernel once for each thread. The
// program may have unmapped parts of it: only active frames are certain to be mapped.
StackRange own_stack();

// Upper bounds of the stack that a recorded call takes, and that one takes which starts a program
// (tests/unit/preload/test_file.py measures both; tests/bench/costs.md lists them).
inline constexpr std::uintptr_t kStackForCall = 2560;
inline constexpr std::uintptr_t kStackForExec = 4096;
// The same for a record without stack and path facts: with less than this, the call is only
// counted.
inline constexpr std::uintptr_t kStackForBrief = 1024;

// True when less than `least` bytes are left below `sp`: on the thread's own stack, or on an
// alternate one, for which the kernel is asked (sigaltstack(2)) at each call from a stack that is
// not the thread's own. False on a coroutine's stack: nothing says how large that is.
bool is_short_of_stack(std::uintptr_t sp, std::uintptr_t least = kStackForCall);

// pthread_self(3), without the call: on x86-64 glibc and musl store it where the thread pointer
// points.
inline pthread_t thread_handle() {
#if defined(__x86_64__)
  return reinterpret_cast<pthread_t>(__builtin_thread_pointer());
#else
  return pthread_self();
#endif
}

// The page that holds `address`.
StackRange page_of(std::uintptr_t address);

// Call once, from a constructor: constructors run in the first thread, whose stack is the kernel's.
void remember_first_thread();

}  // namespace umaskaudit::shim

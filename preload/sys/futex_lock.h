// A lock in one word: the id of the task that holds it, and a bit above that while others wait. A
// futex and not a spin lock: a real-time thread that spins on a preempted holder never ends
// (futex(2)).
// Must never be held across anything that can block for long, nor with signals unblocked: so a task
// that reads its own id in the word has stored it itself.
#pragma once

#include <linux/futex.h>

#include <atomic>
#include <cstdint>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

using FutexWord = std::atomic<std::uint32_t>;
inline constexpr std::uint32_t kWaiters = 1u << 31;

inline bool is_held_by(const FutexWord& word, std::uint32_t tid) {
  return tid != 0 && (word.load(std::memory_order_relaxed) & ~kWaiters) == tid;
}

// The slow path: another task holds it. A task that shares our memory without being one of our
// threads (clone(2) with CLONE_VM) can be killed while it holds the lock: then the lock is taken
// over, and this returns true.
bool wait_for_futex(FutexWord& word, std::uint32_t tid);

// True: taken over from a task that ended inside the protected section.
inline bool acquire_futex(FutexWord& word, std::uint32_t tid) {
  std::uint32_t expected = 0;
  if (__builtin_expect(word.compare_exchange_strong(expected, tid, std::memory_order_acquire), 1)) {
    return false;
  }
  return wait_for_futex(word, tid);
}

inline void release_futex(FutexWord& word) {
  if ((word.exchange(0, std::memory_order_release) & kWaiters) != 0) {
    sys::call(SYS_futex, sys::arg(&word), FUTEX_WAKE_PRIVATE, 1);
  }
}

}  // namespace umaskaudit::shim

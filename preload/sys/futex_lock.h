// A lock in one word: the number of the task that holds it, and a bit above that while others wait.
// A futex rather than a spin: a real-time thread that spins on a preempted holder never ends
// (futex(2)).
// Must never be held across anything that can block for long, or with signals unblocked: then
// whoever reads its own number in the word has stored it itself.
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

// Where somebody else has it. A task that shares our memory, but is no thread of ours, can be
// killed while it holds the lock (clone(2) with CLONE_VM): then it is taken over, and this is true.
bool wait_for_futex(FutexWord& word, std::uint32_t tid);

// True: from a task that has ended amid what the lock protects.
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

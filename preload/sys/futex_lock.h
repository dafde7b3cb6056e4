// A lock in one word. A futex rather than a spin: a real-time thread that spins on a preempted
// holder never ends (futex(2)).
// Must never be held across anything that can block for long, or with signals unblocked.
#pragma once

#include <linux/futex.h>

#include <atomic>
#include <cstdint>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

// 0 free, 1 held, 2 held and somebody waits.
using FutexWord = std::atomic<std::uint32_t>;

inline void acquire_futex(FutexWord& word) {
  std::uint32_t expected = 0;
  if (word.compare_exchange_strong(expected, 1, std::memory_order_acquire)) return;
  while (word.exchange(2, std::memory_order_acquire) != 0) {
    sys::call(SYS_futex, sys::arg(&word), FUTEX_WAIT_PRIVATE, 2, 0);
  }
}

inline void release_futex(FutexWord& word) {
  if (word.exchange(0, std::memory_order_release) == 2) {
    sys::call(SYS_futex, sys::arg(&word), FUTEX_WAKE_PRIVATE, 1);
  }
}

}  // namespace umaskaudit::shim

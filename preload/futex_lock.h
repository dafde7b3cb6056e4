// A lock in one word: a short spin, then a futex. Never a spin alone: a real-time thread that spins
// on a preempted holder never ends (futex(2)).
// Must never be held across anything that can block for long, or with signals unblocked.
#pragma once

#include <linux/futex.h>

#include <atomic>
#include <cstdint>

#include "preload/sys.h"

namespace umaskaudit::shim {

// 0 free, 1 held, 2 held and somebody waits.
using FutexWord = std::atomic<std::uint32_t>;

// For a loop that waits for another processor.
inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield");
#endif
}

// Some ten times as long as one system call holds it: sleeping and being woken takes longer.
inline constexpr unsigned kSpins = 64;

inline bool try_futex(FutexWord& word) {
  std::uint32_t expected = 0;
  return word.compare_exchange_strong(expected, 1, std::memory_order_acquire);
}

[[gnu::cold]] inline void wait_for_futex(FutexWord& word) {
  for (unsigned spin = 0; spin < kSpins; ++spin) {
    relax();
    if (word.load(std::memory_order_relaxed) == 0 && try_futex(word)) return;
  }
  while (word.exchange(2, std::memory_order_acquire) != 0) {
    sys::call(SYS_futex, sys::arg(&word), FUTEX_WAIT_PRIVATE, 2, 0);
  }
}

inline void acquire_futex(FutexWord& word) {
  if (!try_futex(word)) wait_for_futex(word);
}

inline void release_futex(FutexWord& word) {
  if (word.exchange(0, std::memory_order_release) == 2) {
    sys::call(SYS_futex, sys::arg(&word), FUTEX_WAKE_PRIVATE, 1);
  }
}

}  // namespace umaskaudit::shim

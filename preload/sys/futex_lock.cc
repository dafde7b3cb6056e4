// Waits for a lock that another task holds; see futex_lock.h.

#include "preload/sys/futex_lock.h"

#include <linux/kcmp.h>

namespace umaskaudit::shim {

namespace {

// Whether the owner has ended, or runs another program since an exec. A zombie has no memory, which
// kcmp(2) reports.
bool is_gone(std::uint32_t tid) {
  const long result = sys::call(SYS_kcmp, sys::gettid(), tid, KCMP_VM);
  return result > 0 || result == -ESRCH;
}

}  // namespace

bool wait_for_futex(FutexWord& word, std::uint32_t tid) {
  constexpr timespec kPatience{0, 50'000'000};
  const std::uint32_t mine = tid | kWaiters;  // other tasks may wait as well
  for (;;) {
    std::uint32_t seen = word.load(std::memory_order_relaxed);
    if (seen == 0) {
      if (word.compare_exchange_weak(seen, mine, std::memory_order_acquire)) return false;
      continue;
    }
    const std::uint32_t waited = seen | kWaiters;
    if (seen != waited && !word.compare_exchange_weak(seen, waited, std::memory_order_relaxed)) {
      continue;
    }
    const long result =
        sys::call(SYS_futex, sys::arg(&word), FUTEX_WAIT_PRIVATE, waited, sys::arg(&kPatience));
    if (result != -ETIMEDOUT || !is_gone(waited & ~kWaiters)) continue;
    seen = waited;
    if (word.compare_exchange_strong(seen, mine, std::memory_order_acquire)) return true;
  }
}

}  // namespace umaskaudit::shim

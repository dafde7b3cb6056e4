// Lock-free updates of numbers in memory that several processes share.
// Must never lock: signal handlers and vfork children count too.
#pragma once

#include <cstdint>

namespace umaskaudit::shim {

inline void add(std::uint64_t& counter, std::uint64_t amount) {
  __atomic_fetch_add(&counter, amount, __ATOMIC_RELAXED);
}

// Stores the larger of the two, with release order.
inline void raise(std::uint64_t& kept, std::uint64_t value) {
  std::uint64_t known = __atomic_load_n(&kept, __ATOMIC_RELAXED);
  while (known < value && !__atomic_compare_exchange_n(&kept, &known, value, true, __ATOMIC_RELEASE,
                                                       __ATOMIC_RELAXED)) {
  }
}

}  // namespace umaskaudit::shim

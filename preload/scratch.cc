// A pool in static storage, taken and given back by atomic bits; see scratch.h.

#include "preload/scratch.h"

#include <atomic>
#include <cstdint>

namespace umaskaudit::shim {

namespace {

constexpr unsigned kBuffers = 32;
char pool[kBuffers][Scratch::kSize];  // untouched pages cost nothing
constinit std::atomic<std::uint32_t> taken = 0;

}  // namespace

Scratch::Scratch() : at_(nullptr) {
  std::uint32_t now = taken.load(std::memory_order_relaxed);
  while (now != UINT32_MAX) {
    const auto free = static_cast<unsigned>(__builtin_ctz(~now));
    if (taken.compare_exchange_weak(now, now | 1u << free, std::memory_order_acquire)) {
      at_ = pool[free];
      return;
    }
  }
}

Scratch::~Scratch() {
  if (at_ == nullptr) return;
  const auto index = static_cast<unsigned>((at_ - pool[0]) / static_cast<std::ptrdiff_t>(kSize));
  taken.fetch_and(~(1u << index), std::memory_order_release);
}

void release_all_scratch() { taken.store(0, std::memory_order_relaxed); }

}  // namespace umaskaudit::shim

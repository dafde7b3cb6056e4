// CreatePredictor: whether the next open(2) from a call site will create its object, and whether
// the kernel can tell, predicted from the site's latest calls.
// Must never decide what is recorded, only which of the exact ways is tried first.
// Async-signal-safe, lock-free. Updates may be lost when threads race; only speed depends on them.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/record/intern.h"

namespace umaskaudit::shim {

class CreatePredictor {
 public:
  // `call_site` is a return address into the program.
  explicit CreatePredictor(std::uintptr_t call_site)
      : entry_(entries_[mix(0, call_site) % kEntries]) {}

  // True when most of the latest calls created their object.
  bool expects_new() const { return (load() & kCount) >= kExpectsNew; }
  // True when the last object was on a filesystem where the kernel can say whether it was created.
  bool kernel_tells() const { return (load() & kKernelTells) != 0; }

  void update(bool created, bool kernel_tells) {
    const std::uint8_t now = load();
    const unsigned count = now & kCount;
    const unsigned next_count =
        created ? count + (count < kCount ? 1 : 0) : count - (count > 0 ? 1 : 0);
    const auto next_entry =
        static_cast<std::uint8_t>(next_count | (kernel_tells ? kKernelTells : 0));
    if (next_entry != now) entry_.store(next_entry, std::memory_order_relaxed);
  }

 private:
  static constexpr unsigned kCount = 3;  // mask of a saturating counter
  static constexpr unsigned kExpectsNew = 2;
  static constexpr unsigned kKernelTells = 4;
  static constexpr unsigned kEntries = 256;
  static std::atomic<std::uint8_t> entries_[kEntries];

  std::uint8_t load() const { return entry_.load(std::memory_order_relaxed); }

  std::atomic<std::uint8_t>& entry_;
};

inline constinit std::atomic<std::uint8_t> CreatePredictor::entries_[CreatePredictor::kEntries] =
    {};

}  // namespace umaskaudit::shim

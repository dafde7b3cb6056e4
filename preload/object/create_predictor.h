// What the creating calls from one place in the program came to lately.
// Must never decide what is recorded: only which of the exact ways is tried first.
// Called by the shape of open(2). Async-signal-safe, lock-free; threads may lose a lesson.
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

  // True when new objects were more frequent than existing ones.
  bool expects_new() const { return (load() & kCount) >= kExpectsNew; }
  // True when the last object lay where the kernel can say whether it was created.
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
  static constexpr unsigned kCount = 3;  // the bits of a counter
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

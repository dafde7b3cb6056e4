// What the creating calls from one place in the program came to lately.
// Must never decide what is recorded: only which of the exact ways is tried first.
// Called by the shape of open(2). Async-signal-safe, lock-free; threads may lose a lesson.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/record/intern.h"

namespace umaskaudit::shim {

class Habit {
 public:
  // `call_site` is a return address into the program.
  explicit Habit(std::uintptr_t call_site) : habit_(habits_[mix(0, call_site) % kHabits]) {}

  // True when new objects were more frequent than existing ones.
  bool creates() const { return (load() & kCount) >= kSure; }
  // True when the last object lay where the kernel can say whether it was created.
  bool was_told() const { return (load() & kTold) != 0; }

  void learn(bool created, bool told) {
    const std::uint8_t now = load();
    const unsigned count = now & kCount;
    const unsigned next = created ? count + (count < kCount ? 1 : 0) : count - (count > 0 ? 1 : 0);
    const auto habit = static_cast<std::uint8_t>(next | (told ? kTold : 0));
    if (habit != now) habit_.store(habit, std::memory_order_relaxed);
  }

 private:
  static constexpr unsigned kCount = 3;  // the bits of a counter
  static constexpr unsigned kSure = 2;
  static constexpr unsigned kTold = 4;
  static constexpr unsigned kHabits = 256;
  static std::atomic<std::uint8_t> habits_[kHabits];

  std::uint8_t load() const { return habit_.load(std::memory_order_relaxed); }

  std::atomic<std::uint8_t>& habit_;
};

inline constinit std::atomic<std::uint8_t> Habit::habits_[Habit::kHabits] = {};

}  // namespace umaskaudit::shim

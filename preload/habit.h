// What the creating calls from one place in the program came to lately.
// Must never decide what is recorded: only which of two exact ways is tried first.
// Called by the shape of open(2). Async-signal-safe, lock-free; threads may lose a lesson.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/intern.h"

namespace umaskaudit::shim {

class Habit {
 public:
  // `call_site` is a return address into the program.
  explicit Habit(std::uintptr_t call_site) : counter_(counters_[mix(0, call_site) % kCounters]) {}

  // True when new objects were more frequent than existing ones.
  bool creates() const { return counter_.load(std::memory_order_relaxed) >= kSure; }
  void learn(bool created) {
    const std::uint8_t now = counter_.load(std::memory_order_relaxed);
    const std::uint8_t next = created ? (now < kMost ? now + 1 : kMost) : (now > 0 ? now - 1 : 0);
    if (next != now) counter_.store(next, std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint8_t kSure = 2;
  static constexpr std::uint8_t kMost = 3;
  static constexpr unsigned kCounters = 256;
  static std::atomic<std::uint8_t> counters_[kCounters];

  std::atomic<std::uint8_t>& counter_;
};

inline constinit std::atomic<std::uint8_t> Habit::counters_[Habit::kCounters] = {};

}  // namespace umaskaudit::shim


#include "preload/log/line_choice.h"

#include <atomic>

namespace umaskaudit::shim {

namespace {

// Open addressing: the first change that finds a free slot keeps it for good.
struct Slot {
  std::atomic<std::uint64_t> key;  // 0: free
  std::atomic<std::uint64_t> times;
};
constexpr unsigned kSlots = 512;
constexpr unsigned kProbes = 8;
constinit Slot slots[kSlots] = {};

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15u;
  hash = (hash ^ value) * kPrime;
  return hash ^ (hash >> 29);
}

std::uint64_t key_of(const Author& author, const trace::Umask& change, const CapturedStack& stack) {
  std::uint64_t hash = mix(std::uint64_t{author.pid} << 32 | author.tid,
                           std::uint64_t{change.old_mask} << 32 | change.new_mask);
  for (unsigned i = 0; i < stack.walk.count; ++i) hash = mix(hash, stack.pcs[i]);
  return hash != 0 ? hash : 1;
}

}  // namespace

// On a mismatch, the latest '*' matches one byte more.
bool matches(const char* pattern, const char* path, std::uint32_t length) {
  const char* const end = path + length;
  const char* star = nullptr;
  const char* after_star = nullptr;
  while (path < end) {
    if (*pattern == '*') {
      star = ++pattern;
      after_star = path;
    } else if (*pattern != '\0' && (*pattern == '?' || *pattern == *path)) {
      ++pattern;
      ++path;
    } else if (star != nullptr) {
      pattern = star;
      path = ++after_star;
    } else {
      return false;
    }
  }
  while (*pattern == '*') ++pattern;
  return *pattern == '\0';
}

std::uint64_t count_change(const Author& author, const trace::Umask& change,
                           const CapturedStack& stack) {
  const std::uint64_t key = key_of(author, change, stack);
  for (unsigned probe = 0; probe < kProbes; ++probe) {
    Slot& slot = slots[(key + probe) % kSlots];
    std::uint64_t seen = slot.key.load(std::memory_order_relaxed);
    if (seen == 0 && slot.key.compare_exchange_strong(seen, key, std::memory_order_relaxed)) {
      seen = key;
    }
    if (seen == key) return slot.times.fetch_add(1, std::memory_order_relaxed) + 1;
  }
  return 1;
}

bool is_told(std::uint64_t times) {
  while (times >= 10 && times % 10 == 0) times /= 10;
  return times == 1;
}

}  // namespace umaskaudit::shim

// A set of 64-bit hashes with an id each: what was written to the trace once is named afterwards.
// Must never block or move: threads, handlers and vfork children look things up at any time.
// When the table is full, things are written again: larger trace, nothing lost.
#pragma once

#include <atomic>
#include <cstdint>

namespace umaskaudit::shim {

// Hashes are trusted to be distinct: with 100,000 entries the chance of one collision is 3e-10.
inline std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 32;
}
std::uint64_t hash_bytes(const void* bytes, std::uint32_t length);

template <unsigned kLogSize>
class InternTable {
 public:
  // 0 when the hash is not there (or is being inserted right now). `hash` is not 0.
  std::uint32_t find(std::uint64_t hash) const {
    for (unsigned step = 0; step < kProbe; ++step) {
      const Entry& entry = entries_[slot(hash, step)];
      const std::uint64_t key = entry.key.load(std::memory_order_acquire);
      if (key == hash) return entry.id.load(std::memory_order_acquire);
      if (key == 0) return 0;
    }
    return 0;
  }

  // Publishes an id whose record is already written. The first to come wins; the other id simply
  // stays unused.
  void insert(std::uint64_t hash, std::uint32_t id) {
    for (unsigned step = 0; step < kProbe; ++step) {
      Entry& entry = entries_[slot(hash, step)];
      std::uint64_t key = 0;
      if (entry.key.compare_exchange_strong(key, hash, std::memory_order_acq_rel)) {
        entry.id.store(id, std::memory_order_release);
        return;
      }
      if (key == hash) return;
    }
  }

 private:
  struct Entry {
    std::atomic<std::uint64_t> key = 0;
    std::atomic<std::uint32_t> id = 0;
  };
  static constexpr unsigned kSize = 1u << kLogSize;
  static constexpr unsigned kProbe = 16;
  static unsigned slot(std::uint64_t hash, unsigned step) {
    return static_cast<unsigned>((hash >> 20) + step) & (kSize - 1);
  }

  Entry entries_[kSize] = {};
};

}  // namespace umaskaudit::shim

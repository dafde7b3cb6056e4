// InternTable: a set of 64-bit hashes with an id each, for what is written to the trace once and
// then referred to by id.
// Must never block or move entries: threads, signal handlers and vfork children look up at any
// time. When no memory is available, an item is written again: the trace grows, and nothing is
// lost.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace umaskaudit::shim {

// Hashes are trusted to be distinct: with 100,000 entries the chance of one collision is 3e-10.
inline std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 32;
}
std::uint64_t hash_bytes(const void* bytes, std::uint32_t length);

// Grows by adding a larger table to the full one, so that entries stay where they are. An entry
// that is looked up again is copied to the newest table, where the next lookup finds it in one
// cache line.
class InternTable {
 public:
  // 0 when the hash is not in the set, or is being inserted. `hash` is not 0.
  std::uint32_t find(std::uint64_t hash) {
    const unsigned newest = newest_.load(std::memory_order_acquire);
    const std::uint32_t id = find_in(newest, hash);
    return id != 0 || newest == 0 ? id : find_in_older(newest, hash);
  }

  // Publishes an id whose record has been written. The first insertion of a hash wins; the other id
  // stays unused.
  void insert(std::uint64_t hash, std::uint32_t id);

 private:
  // One cache line.
  struct alignas(64) Bucket {
    static constexpr unsigned kEntries = 5;
    std::atomic<std::uint64_t> keys[kEntries] = {};
    std::atomic<std::uint32_t> ids[kEntries] = {};
  };
  static constexpr unsigned kProbe = 4;  // buckets
  static constexpr unsigned kTables = 5;
  static constexpr unsigned kFirstBuckets = 64;  // 4 KiB
  static constexpr unsigned kLogGrowth = 3;      // so the last one holds 1.3 million

 public:
  static constexpr unsigned kFirstEntries = kFirstBuckets * Bucket::kEntries;

 private:
  static std::size_t buckets_of(unsigned table) {
    return std::size_t{kFirstBuckets} << table * kLogGrowth;
  }
  Bucket* table_at(unsigned table) {
    return table == 0 ? first_ : larger_[table - 1].load(std::memory_order_acquire);
  }
  static Bucket& bucket_of(Bucket* buckets, unsigned table, std::uint64_t hash, unsigned step) {
    return buckets[((hash >> 20) + step) & (buckets_of(table) - 1)];
  }

  std::uint32_t find_in(unsigned table, std::uint64_t hash) {
    Bucket* const buckets = table_at(table);
    for (unsigned step = 0; step < kProbe; ++step) {
      const Bucket& bucket = bucket_of(buckets, table, hash, step);
      // Compares all entries at once: a branch on the position would be mispredicted.
      unsigned found = 0;
      std::uint64_t last = 0;
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 8
#endif
      for (unsigned i = 0; i < Bucket::kEntries; ++i) {
        last = bucket.keys[i].load(std::memory_order_acquire);
        found |= static_cast<unsigned>(last == hash) << i;
      }
      if (found != 0) return bucket.ids[__builtin_ctz(found)].load(std::memory_order_acquire);
      if (last == 0) return 0;
    }
    return 0;
  }
  std::uint32_t find_in_older(unsigned newest, std::uint64_t hash);
  bool insert_in(unsigned table, std::uint64_t hash, std::uint32_t id);
  bool grow(unsigned newest);

  std::atomic<unsigned> newest_ = 0;
  std::atomic<Bucket*> larger_[kTables - 1] = {};
  Bucket first_[kFirstBuckets] = {};
};

// A cache of ids for keys that go out of use: of fixed size, a new entry replaces an old one. After
// a miss the caller uses the slow way.
class RecentIds {
 public:
  // 0: not in the cache. `hash` is not 0.
  std::uint32_t find(std::uint64_t hash) const {
    const Entry& entry = entries_[place_of(hash)];
    const std::uint32_t id = entry.id.load(std::memory_order_acquire);
    const bool known = (entry.tag.load(std::memory_order_relaxed) ^ id) == hash;
    return known ? id : 0;
  }

  // `id` is not 0.
  void insert(std::uint64_t hash, std::uint32_t id) {
    Entry& entry = entries_[place_of(hash)];
    entry.tag.store(hash ^ id, std::memory_order_relaxed);
    entry.id.store(id, std::memory_order_release);
  }

 private:
  // `tag` combines hash and id, so halves of two concurrently written entries do not match.
  struct Entry {
    std::atomic<std::uint64_t> tag = 0;
    std::atomic<std::uint32_t> id = 0;
  };
  static constexpr unsigned kEntries = 4096;  // 64 KiB; untouched pages cost nothing
  static std::size_t place_of(std::uint64_t hash) { return hash >> 20 & (kEntries - 1); }

  Entry entries_[kEntries] = {};
};

}  // namespace umaskaudit::shim

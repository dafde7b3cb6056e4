// InternTable: insertion and growth, the rarer half; see intern.h.

#include "preload/record/intern.h"

#include <sys/mman.h>

#include <cstring>

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

std::uint64_t hash_bytes(const void* bytes, std::uint32_t length) {
  std::uint64_t hash = length + 1;
  const auto* at = static_cast<const unsigned char*>(bytes);
  for (; length >= 8; at += 8, length -= 8) {
    std::uint64_t word = 0;
    memcpy(&word, at, 8);
    hash = mix(hash, word);
  }
  std::uint64_t tail = 0;
  memcpy(&tail, at, length);
  hash = mix(hash, tail);
  return hash != 0 ? hash : 1;
}

std::uint32_t InternTable::find_in_older(unsigned newest, std::uint64_t hash) {
  for (unsigned table = newest; table-- > 0;) {
    const std::uint32_t id = find_in(table, hash);
    if (id == 0) continue;
    insert(hash, id);
    return id;
  }
  return 0;
}

void InternTable::insert(std::uint64_t hash, std::uint32_t id) {
  unsigned newest = newest_.load(std::memory_order_acquire);
  while (!insert_in(newest, hash, id) && grow(newest)) ++newest;
}

// False: the probe sequence has no free entry.
bool InternTable::insert_in(unsigned table, std::uint64_t hash, std::uint32_t id) {
  Bucket* const buckets = table_at(table);
  for (unsigned step = 0; step < kProbe; ++step) {
    Bucket& bucket = bucket_of(buckets, table, hash, step);
    for (unsigned i = 0; i < Bucket::kEntries; ++i) {
      std::uint64_t key = 0;
      if (bucket.keys[i].compare_exchange_strong(key, hash, std::memory_order_acq_rel)) {
        bucket.ids[i].store(id, std::memory_order_release);
        return true;
      }
      if (key == hash) return true;
    }
  }
  return false;
}

// The table after `newest`, created if missing. The first thread to publish it wins; no thread
// waits.
bool InternTable::grow(unsigned newest) {
  if (newest + 1 == kTables) return false;
  std::atomic<Bucket*>& place = larger_[newest];
  if (place.load(std::memory_order_acquire) == nullptr) {
    const std::size_t size = buckets_of(newest + 1) * sizeof(Bucket);
    // Zeroed, as Bucket's members are initially.
    void* fresh = sys::map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (fresh == nullptr) return false;
    Bucket* expected = nullptr;
    if (!place.compare_exchange_strong(expected, static_cast<Bucket*>(fresh),
                                       std::memory_order_acq_rel)) {
      sys::unmap(fresh, size);
    }
  }
  unsigned before = newest;
  newest_.compare_exchange_strong(before, newest + 1, std::memory_order_acq_rel);
  return true;
}

}  // namespace umaskaudit::shim

// A table of fixed size in shared anonymous memory; see shared_ids.h.

#include "preload/record/shared_ids.h"

#include <sys/mman.h>

#include <atomic>

#include "preload/record/intern.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

struct Entry {
  std::atomic<std::uint64_t> key;
  std::atomic<std::uint32_t> id;  // stored after the key; 0: not yet
};
constexpr unsigned kEntries = 1 << 15;  // 512 KiB; untouched pages cost nothing
constexpr unsigned kProbe = 8;

constinit Entry* entries = nullptr;

std::uint64_t key_of(trace::IdSpace space, std::uint64_t hash) {
  return mix(hash, static_cast<std::uint64_t>(space) + 1) | 1;
}

Entry& entry_of(std::uint64_t key, unsigned step) {
  return entries[((key >> 20) + step) & (kEntries - 1)];
}

}  // namespace

void start_sharing_ids() {
  // Zeroed by the kernel, which is what the members are initially.
  entries = static_cast<Entry*>(sys::map(kEntries * sizeof(Entry), PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1));
}

std::uint32_t find_shared_id(trace::IdSpace space, std::uint64_t hash) {
  if (entries == nullptr) return 0;
  const std::uint64_t key = key_of(space, hash);
  for (unsigned step = 0; step < kProbe; ++step) {
    const Entry& entry = entry_of(key, step);
    const std::uint64_t there = entry.key.load(std::memory_order_acquire);
    if (there == key) return entry.id.load(std::memory_order_acquire);
    if (there == 0) return 0;
  }
  return 0;
}

void share_id(trace::IdSpace space, std::uint64_t hash, std::uint32_t id) {
  if (entries == nullptr) return;
  const std::uint64_t key = key_of(space, hash);
  for (unsigned step = 0; step < kProbe; ++step) {
    Entry& entry = entry_of(key, step);
    std::uint64_t there = 0;
    if (entry.key.compare_exchange_strong(there, key, std::memory_order_acq_rel)) {
      entry.id.store(id, std::memory_order_release);
      return;
    }
    if (there == key) return;
  }
}

}  // namespace umaskaudit::shim

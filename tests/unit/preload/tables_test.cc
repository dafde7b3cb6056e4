// What threads share without a lock: the intern table, and the checksum that commits a record.
// Run by meson; race_test.cc runs the same table under ThreadSanitizer as part of the recorder.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "preload/record/intern.h"
#include "preload/sys/sys.h"
#include "preload/trace/checksum.h"

namespace umaskaudit {

namespace {

using shim::InternTable;
using trace::record_checksum;

// Spread like the hashes of real stacks.
std::uint64_t key_of(std::uint64_t number) { return shim::mix(number + 1, 0xabcdef) | 1; }

// As a filter of the program's would have it.
class WithoutMemory {
 public:
  WithoutMemory() {
    word_ = kBit;
    shim::sys::filtered = true;
  }
  WithoutMemory(const WithoutMemory&) = delete;
  WithoutMemory& operator=(const WithoutMemory&) = delete;
  ~WithoutMemory() {
    shim::sys::filtered = false;
    word_ = 0;
  }

 private:
  static constexpr unsigned long kBit = 1ul << SYS_mmap % 64;
  std::atomic<unsigned long>& word_ = shim::sys::barred[SYS_mmap / 64];
};

TEST(InternTable, FindsWhatWasInserted) {
  const auto table = std::make_unique<InternTable>();
  EXPECT_EQ(table->find(key_of(1)), 0u);
  // Into the last but one of the tables beside each other.
  constexpr std::uint32_t kMany = 100000;
  for (std::uint32_t id = 1; id <= kMany; ++id) table->insert(key_of(id), id);
  for (unsigned round = 0; round < 2; ++round) {
    for (std::uint32_t id = 1; id <= kMany; ++id) ASSERT_EQ(table->find(key_of(id)), id);
  }
  EXPECT_EQ(table->find(key_of(kMany + 1)), 0u);
}

TEST(InternTable, TheFirstIdStays) {
  const auto table = std::make_unique<InternTable>();
  table->insert(key_of(1), 5);
  table->insert(key_of(1), 6);
  EXPECT_EQ(table->find(key_of(1)), 5u);
}

// What finds no room is simply not known.
TEST(InternTable, AFullTableForgetsNothingAndInventsNothing) {
  const auto table = std::make_unique<InternTable>();
  constexpr std::uint32_t kMany = 10000;
  std::vector<std::uint32_t> before(kMany + 1);
  const auto find_all = [&table] {
    std::vector<std::uint32_t> found(kMany + 1);
    for (std::uint32_t id = 1; id <= kMany; ++id) found[id] = table->find(key_of(id));
    return found;
  };
  {
    const WithoutMemory refused;
    for (std::uint32_t id = 1; id <= kMany; ++id) table->insert(key_of(id), id);
    before = find_all();
  }
  const auto known = std::count_if(before.begin(), before.end(), [](auto id) { return id != 0; });
  EXPECT_EQ(known, std::ptrdiff_t{InternTable::kFirstEntries});
  for (std::uint32_t id = 1; id <= kMany; ++id) {
    EXPECT_TRUE(before[id] == 0 || before[id] == id) << before[id] << " for " << id;
  }
  // With memory again it grows, and what was there moves over.
  table->insert(key_of(kMany + 1), kMany + 1);
  EXPECT_EQ(table->find(key_of(kMany + 1)), kMany + 1);
  EXPECT_EQ(find_all(), before);
}

// Each thread offers ids of its own, in an order of its own: what id each saw for each key.
std::vector<std::vector<std::uint32_t>> offer_ids(InternTable& table, unsigned count,
                                                  std::uint32_t keys) {
  std::vector<std::vector<std::uint32_t>> seen(count, std::vector<std::uint32_t>(keys));
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < count; ++thread) {
    threads.emplace_back([&, thread] {
      std::vector<std::uint32_t> order(keys);
      for (std::uint32_t i = 0; i < keys; ++i) order[i] = i;
      std::shuffle(order.begin(), order.end(), std::mt19937(thread));
      for (const std::uint32_t key : order) {
        std::uint32_t id = table.find(key_of(key));
        if (id == 0) {
          table.insert(key_of(key), key * count + thread + 1);
          // Another one may be between its two stores.
          while ((id = table.find(key_of(key))) == 0) std::this_thread::yield();
        }
        seen[thread][key] = id;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return seen;
}

constexpr unsigned kThreads = 4;

TEST(InternTable, FourThreadsAgreeOnEveryId) {
  constexpr std::uint32_t kKeys = 100;  // no need to grow
  const auto table = std::make_unique<InternTable>();
  const auto seen = offer_ids(*table, kThreads, kKeys);
  for (std::uint32_t key = 0; key < kKeys; ++key) {
    const std::uint32_t id = table->find(key_of(key));
    EXPECT_EQ((id - 1) / kThreads, key);
    for (const auto& by_thread : seen) EXPECT_EQ(by_thread[key], id);
  }
}

// While it grows, two threads may each have an id for one key: both of them are written.
TEST(InternTable, FourThreadsFindTheKeysOwnIdsWhileItGrows) {
  constexpr std::uint32_t kKeys = 20000;
  const auto table = std::make_unique<InternTable>();
  for (const auto& by_thread : offer_ids(*table, kThreads, kKeys)) {
    for (std::uint32_t key = 0; key < kKeys; ++key) {
      ASSERT_EQ((by_thread[key] - 1) / kThreads, key);
      ASSERT_EQ((table->find(key_of(key)) - 1) / kThreads, key);
    }
  }
}

TEST(RecentIds, ReplacesAndInventsNothing) {
  const auto table = std::make_unique<shim::RecentIds>();
  EXPECT_EQ(table->find(key_of(1)), 0u);
  constexpr std::uint32_t kMany = 100000;  // far more than there is room for
  for (std::uint32_t id = 1; id <= kMany; ++id) {
    table->insert(key_of(id), id);
    ASSERT_EQ(table->find(key_of(id)), id);
  }
  std::uint32_t known = 0;
  for (std::uint32_t id = 1; id <= kMany; ++id) {
    const std::uint32_t found = table->find(key_of(id));
    ASSERT_TRUE(found == 0 || found == id) << found << " for " << id;
    known += found != 0 ? 1 : 0;
  }
  EXPECT_GT(known, 1000u);
  EXPECT_LT(known, kMany);
  table->insert(key_of(1), 7);
  EXPECT_EQ(table->find(key_of(1)), 7u);
}

constexpr std::uint32_t kRecord = 256;

struct alignas(8) Record {
  unsigned char bytes[kRecord];
  std::uint32_t checksum(std::uint64_t offset = 4096) const {
    return record_checksum(bytes, kRecord, offset);
  }
};

Record some_record() {
  Record record;
  std::mt19937 random(1);
  for (unsigned char& byte : record.bytes) byte = static_cast<unsigned char>(random());
  return record;
}

TEST(Checksum, AnyFlippedBitChangesIt) {
  for (Record record : {some_record(), Record{}}) {
    const std::uint32_t before = record.checksum();
    for (unsigned bit = 32; bit < kRecord * 8; ++bit) {
      record.bytes[bit / 8] ^= static_cast<unsigned char>(1 << bit % 8);
      EXPECT_NE(record.checksum(), before) << "bit " << bit;
      record.bytes[bit / 8] ^= static_cast<unsigned char>(1 << bit % 8);
    }
    EXPECT_EQ(record.checksum(), before);
  }
}

TEST(Checksum, AnyTwoSwappedWordsChangeIt) {
  const Record record = some_record();
  for (std::size_t a = 1; a < kRecord / 8; ++a) {
    for (std::size_t b = a + 1; b < kRecord / 8; ++b) {
      Record swapped = record;
      std::swap_ranges(swapped.bytes + a * 8, swapped.bytes + a * 8 + 8, swapped.bytes + b * 8);
      EXPECT_NE(swapped.checksum(), record.checksum()) << a << ", " << b;
    }
  }
}

TEST(Checksum, LeavesOutTheCommitWordItself) {
  Record record = some_record();
  const std::uint32_t before = record.checksum();
  memset(record.bytes, 0xff, 4);
  EXPECT_EQ(record.checksum(), before);
}

// A copy of a record somewhere else in the file, in a path for one, is not a record.
TEST(Checksum, BelongsToOneOffset) {
  const Record record = some_record();
  std::set<std::uint32_t> sums;
  for (std::uint64_t offset = 0; offset < 1 << 20; offset += 4096)
    sums.insert(record.checksum(offset));
  EXPECT_EQ(sums.size(), 256u);
}

TEST(Checksum, IsNeverZero) {
  Record record{};
  for (unsigned i = 0; i < 100000; ++i) {
    memcpy(record.bytes + 8, &i, sizeof i);
    ASSERT_NE(record_checksum(record.bytes, 16, 0), 0u);
  }
}

}  // namespace

}  // namespace umaskaudit

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

#include "preload/intern.h"
#include "preload/trace/checksum.h"

namespace umaskaudit {

namespace {

using shim::InternTable;
using trace::record_checksum;

// Spread like the hashes of real stacks.
std::uint64_t key_of(std::uint64_t number) { return shim::mix(number + 1, 0xabcdef) | 1; }

TEST(InternTable, FindsWhatWasInserted) {
  const auto table = std::make_unique<InternTable<12>>();
  EXPECT_EQ(table->find(key_of(1)), 0u);
  for (std::uint32_t id = 1; id <= 1000; ++id) table->insert(key_of(id), id);
  for (std::uint32_t id = 1; id <= 1000; ++id) EXPECT_EQ(table->find(key_of(id)), id);
  EXPECT_EQ(table->find(key_of(1001)), 0u);
}

TEST(InternTable, TheFirstIdStays) {
  const auto table = std::make_unique<InternTable<12>>();
  table->insert(key_of(1), 5);
  table->insert(key_of(1), 6);
  EXPECT_EQ(table->find(key_of(1)), 5u);
}

// Neighbours collide and are probed for; what finds no slot is simply not known.
TEST(InternTable, AFullTableForgetsNothingAndInventsNothing) {
  const auto table = std::make_unique<InternTable<6>>();
  constexpr std::uint32_t kMany = 1000;
  for (std::uint32_t id = 1; id <= kMany; ++id) table->insert(key_of(id), id);
  unsigned known = 0;
  for (std::uint32_t id = 1; id <= kMany; ++id) {
    const std::uint32_t found = table->find(key_of(id));
    EXPECT_TRUE(found == 0 || found == id) << found << " for " << id;
    if (found != 0) ++known;
  }
  EXPECT_EQ(known, 64u);
  table->insert(key_of(kMany + 1), kMany + 1);
  EXPECT_EQ(table->find(key_of(kMany + 1)), 0u);
}

TEST(InternTable, FourThreadsAgreeOnEveryId) {
  constexpr unsigned kThreads = 4;
  constexpr std::uint32_t kKeys = 2000;
  const auto table = std::make_unique<InternTable<12>>();
  std::vector<std::vector<std::uint32_t>> seen(kThreads);
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      // Each offers ids of its own, in an order of its own.
      std::vector<std::uint32_t> order(kKeys);
      for (std::uint32_t i = 0; i < kKeys; ++i) order[i] = i;
      std::shuffle(order.begin(), order.end(), std::mt19937(thread));
      seen[thread].resize(kKeys);
      for (const std::uint32_t key : order) {
        std::uint32_t id = table->find(key_of(key));
        if (id == 0) {
          table->insert(key_of(key), key * kThreads + thread + 1);
          // Another one may be between its two stores.
          while ((id = table->find(key_of(key))) == 0) std::this_thread::yield();
        }
        seen[thread][key] = id;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::uint32_t key = 0; key < kKeys; ++key) {
    const std::uint32_t id = table->find(key_of(key));
    EXPECT_EQ((id - 1) / kThreads, key);
    for (unsigned thread = 0; thread < kThreads; ++thread) EXPECT_EQ(seen[thread][key], id);
  }
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
  for (unsigned a = 1; a < kRecord / 8; ++a) {
    for (unsigned b = a + 1; b < kRecord / 8; ++b) {
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

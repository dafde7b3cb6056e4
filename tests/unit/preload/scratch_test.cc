// Buffers of the pool: who may take over one whose holder never gave it back.
// Run by meson. A holder that vanished is an object whose memory was used again, or a thread that
// ended, without the destructor.

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <vector>

#include "preload/state.h"
#include "preload/sys/scratch.h"

namespace umaskaudit {

namespace {

using shim::release_all_scratch;
using shim::Scratch;

constexpr std::size_t kAll = 32;

// An object that is not destroyed unless it is asked for.
struct Place {
  alignas(Scratch) unsigned char bytes[sizeof(Scratch)];
  Scratch* make() { return new (bytes) Scratch; }
  void use_again() { new (bytes) std::uint64_t{0}; }
};

struct Pool : testing::Test {
  std::array<Place, kAll> places;
  std::array<Scratch*, kAll> held{};
  void SetUp() override {
    release_all_scratch();
    for (std::size_t i = 0; i < kAll; ++i) held[i] = places[i].make();
    for (Scratch* scratch : held) ASSERT_NE(scratch->get(), nullptr);
  }
  void TearDown() override { release_all_scratch(); }
};

TEST_F(Pool, HasNoneWhenAllAreHeld) {
  Scratch one_more;
  EXPECT_EQ(one_more.get(), nullptr);
  held[5]->~Scratch();
  EXPECT_NE(one_more.get(), nullptr);
}

TEST_F(Pool, TakesOverFromMemoryThatWasUsedAgain) {
  char* const left = held[7]->get();
  places[7].use_again();
  Scratch next;
  EXPECT_EQ(next.get(), left);
  Scratch one_more;
  EXPECT_EQ(one_more.get(), nullptr);
}

TEST_F(Pool, TakesOverFromMemoryThatIsGone) {
  held[0]->~Scratch();
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(page, MAP_FAILED);
  char* const left = (new (page) Scratch)->get();
  ASSERT_NE(left, nullptr);
  munmap(page, 4096);
  Scratch next;
  EXPECT_EQ(next.get(), left);
}

TEST_F(Pool, TakesOverFromAThreadThatEnded) {
  held[0]->~Scratch();
  char* left = nullptr;
  std::thread([&] { left = (new (places[0].bytes) Scratch)->get(); }).join();
  ASSERT_NE(left, nullptr);
  // The memory still says that it holds the buffer.
  Scratch next;
  EXPECT_EQ(next.get(), left);
}

// Deeper in the same stack, and never overwritten.
[[gnu::noinline]] char* leave_behind() {
  Place place;
  asm volatile("" : : "r"(&place) : "memory");
  return place.make()->get();
}

TEST_F(Pool, TakesOverFromAFrameThatHasReturned) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "frames lie in memory of AddressSanitizer's, in no order";
#endif
  held[0]->~Scratch();
  std::thread([] {
    Scratch next;
    char* const left = leave_behind();
    ASSERT_NE(left, nullptr);
    EXPECT_EQ(next.get(), left);
  }).join();
}

TEST_F(Pool, NeverTakesOverFromAThreadThatIsThere) {
  held[0]->~Scratch();
  held[1]->~Scratch();
  std::optional<Scratch> next;
  next.emplace();
  std::thread([&] {
    const Scratch own;
    const Scratch another;
    ASSERT_NE(own.get(), nullptr);
    ASSERT_NE(another.get(), nullptr);
    std::thread([&] { EXPECT_EQ(next->get(), nullptr); }).join();
  }).join();
  EXPECT_NE(next->get(), nullptr);
}

TEST_F(Pool, IsFreeInAForkedChild) {
  char* const before = held[3]->get();
  release_all_scratch();
  std::vector<std::unique_ptr<Scratch>> fresh;
  for (std::size_t i = 0; i < kAll; ++i) {
    fresh.push_back(std::make_unique<Scratch>());
    EXPECT_NE(fresh.back()->get(), nullptr);
  }
  // A frame that the fork interrupted gives back what is no longer its own: nothing happens.
  held[3]->~Scratch();
  EXPECT_NE(before, nullptr);
  Scratch one_more;
  EXPECT_EQ(one_more.get(), nullptr);
}

}  // namespace

}  // namespace umaskaudit

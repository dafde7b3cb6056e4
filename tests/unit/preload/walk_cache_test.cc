// Walks that are remembered: the same answer as a walk of its own, or none. Ground truth is the
// walk, which is held against libunwind elsewhere. Run by meson.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "frame_shapes.h"
#include "preload/stack/walk_cache.h"
#include "preload/sys/own_stack.h"
#include "preload/unwind/cfi.h"

namespace umaskaudit::testing_support {

namespace {

// As init.cc does, in the first thread.
const bool kFirstThreadKnown = (shim::remember_first_thread(), true);

constexpr unsigned kDepth = 16;
using Frames = std::vector<std::uintptr_t>;

std::map<std::uint32_t, Frames> known;
unsigned hits;
unsigned generation = 1;

[[gnu::noinline]] void remember_here() {
  const shim::StackStart start = UMASKAUDIT_STACK_START();
  std::uintptr_t pcs[kDepth];
  shim::WalkWords words;
  const shim::StackWalk walk = shim::walk_stack(start, pcs, kDepth, &words);
  const Frames frames(pcs, pcs + walk.count);
  std::uint32_t id = shim::cached_stack(start, generation);
  if (id != 0) {
    ++hits;
    ASSERT_EQ(known[id], frames);
    return;
  }
  id = static_cast<std::uint32_t>(known.size()) + 1;
  known[id] = frames;
  shim::RuleSpace space;
  shim::cache_stack(start, generation, words, id, space);
  // Not each walk is kept.
  const std::uint32_t kept = shim::cached_stack(start, generation);
  EXPECT_TRUE(kept == 0 || (words.whole && kept == id));
}

class WalkCache : public testing::Test {
 protected:
  WalkCache() {
    known.clear();
    hits = 0;
    ++generation;  // what other tests remembered counts no more
  }
};

// A random chain of frames, again and again: many differ in one frame alone.
std::mt19937 choice(1);
unsigned frames_left;
constexpr unsigned kNestable = 9;  // those behind call back through one variable for all
void go_deeper() {
  if (frames_left-- == 0) return remember_here();
  const FrameShape* shapes = choice() % 2 != 0 ? kOptimizedShapes : kPlainShapes;
  shapes[choice() % kNestable].call(go_deeper);
}

TEST_F(WalkCache, SaysWhatAWalkWouldSay) {
  for (unsigned round = 0; round < 20000; ++round) {
    frames_left = 1 + choice() % 3;
    go_deeper();
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(hits, 100u);
  EXPECT_GT(known.size(), 100u);
}

// Callers that nothing but their return address tells apart.
[[gnu::noinline]] void common_callee() {
  remember_here();
  __asm__ volatile("");
}
template <int>
[[gnu::noinline]] void caller() {
  common_callee();
  __asm__ volatile("");
}

// More than it takes until one stack alone is known, whatever came to its place before.
constexpr unsigned kLong = 100;

TEST_F(WalkCache, TellsCallersApartByTheirAddressAlone) {
  void (*const callers[])() = {caller<0>, caller<1>, caller<2>};
  for (unsigned round = 0; round < kLong + 30; ++round) {
    if (round == kLong) hits = 0;
    callers[round < kLong ? 0 : round % 3]();
  }
  EXPECT_GE(known.size(), 3u);
  // The others are new once, and one of them may take the first one's place.
  EXPECT_GE(hits, 26u);
}

template <int kLevel>
struct Crowd {
  template <int kBranch>
  [[gnu::noinline]] static void step(unsigned number) {
    if constexpr (kLevel == 0) {
      common_callee();
    } else {
      Crowd<kLevel - 1>::walk(number);
    }
    __asm__ volatile("" ::"i"(kBranch));
  }
  static void walk(unsigned number) {
    static constexpr void (*kSteps[])(unsigned) = {step<0>, step<1>, step<2>, step<3>};
    kSteps[number % 4](number / 4);
    __asm__ volatile("");
  }
};

// The same function, called from 256 stacks in turn: too many to be kept, and each is right.
TEST_F(WalkCache, FindsOneStackAgainAfterACrowd) {
  for (unsigned number = 0; number < 1024; ++number) Crowd<3>::walk(number % 256);
  EXPECT_GE(known.size(), 256u);
  for (unsigned round = 0; round < kLong + 30; ++round) {
    if (round == kLong) hits = 0;
    Crowd<3>::walk(5);
  }
  // New once more for each loop that the compiler made of this one: they are other callers.
  EXPECT_GE(hits, 20u);
}

TEST_F(WalkCache, ForgetsWithTheCode) {
  for (unsigned round = 0; round < 3; ++round) {
    common_callee();
    ++generation;
  }
  EXPECT_EQ(hits, 0u);
}

TEST_F(WalkCache, KeepsThreadsApart) {
  for (unsigned round = 0; round < 8; ++round) std::thread(common_callee).join();
  EXPECT_GE(known.size() + hits, 8u);
}

std::uintptr_t here() { return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)); }

void expect_elsewhere() {
  EXPECT_FALSE(shim::own_stack().holds(here()));
  EXPECT_TRUE(shim::page_of(here()).holds(here()));
}

TEST(OwnStack, IsKnownToItsEnd) {
  const shim::StackRange range = shim::own_stack();
  EXPECT_TRUE(range.holds(here()));
  // The frames of main() are in it, the words of its environment may be.
  EXPECT_GT(range.end, range.begin + 256);
  EXPECT_LE(range.end, reinterpret_cast<std::uintptr_t>(environ[0]));
  std::thread([] {
    int local = 0;
    const shim::StackRange own = shim::own_stack();
    EXPECT_TRUE(own.holds(reinterpret_cast<std::uintptr_t>(&local)));
    pthread_attr_t attributes;
    ASSERT_EQ(pthread_getattr_np(pthread_self(), &attributes), 0);
    void* lowest = nullptr;
    std::size_t size = 0;
    pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_destroy(&attributes);
    EXPECT_GE(own.begin, reinterpret_cast<std::uintptr_t>(lowest));
    EXPECT_LE(own.end, reinterpret_cast<std::uintptr_t>(lowest) + size);
    EXPECT_LT(own.begin, own.end);
  }).join();
}

void* look_at_own_stack(void* out) {
  *static_cast<shim::StackRange*>(out) = shim::own_stack();
  return nullptr;
}

// Without a guard page nothing but libc's own numbers tells the stack from what lies below it.
TEST(OwnStack, BeginsWhereLibcSays) {
  constexpr std::size_t kSize = 1 << 17;
  void* const memory =
      mmap(nullptr, 2 * kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  char* const upper = static_cast<char*>(memory) + kSize;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstack(&attributes, upper, kSize), 0);
  pthread_t thread;
  shim::StackRange range;
  ASSERT_EQ(pthread_create(&thread, &attributes, look_at_own_stack, &range), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  munmap(memory, 2 * kSize);
  EXPECT_EQ(range.begin, reinterpret_cast<std::uintptr_t>(upper));
  EXPECT_LT(range.end, range.begin + kSize);
  EXPECT_GT(range.end, range.begin + kSize / 2);
}

void on_signal(int) { expect_elsewhere(); }

TEST(OwnStack, IsNotTheAlternateStack) {
  static char memory[1 << 16];
  const stack_t stack{memory, 0, sizeof memory};
  stack_t before;
  ASSERT_EQ(sigaltstack(&stack, &before), 0);
  struct sigaction action {};
  struct sigaction old {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGUSR1, &action, &old);
  raise(SIGUSR1);
  sigaction(SIGUSR1, &old, nullptr);
  sigaltstack(&before, nullptr);
}

ucontext_t main_context;
ucontext_t other_context;

TEST(OwnStack, IsNotACoroutines) {
  constexpr std::size_t kSize = 1 << 16;
  // Below what is mapped already, as close to the thread's own description as the kernel puts it.
  void* memory = mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  getcontext(&other_context);
  other_context.uc_stack.ss_sp = memory;
  other_context.uc_stack.ss_size = kSize;
  other_context.uc_link = &main_context;
  makecontext(&other_context, expect_elsewhere, 0);
  swapcontext(&main_context, &other_context);
  munmap(memory, kSize);
}

}  // namespace

}  // namespace umaskaudit::testing_support

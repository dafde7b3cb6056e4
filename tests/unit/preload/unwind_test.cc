// The shim's stack walk against libunwind's, over frames of every layout, in and out of signal
// handlers, at every single instruction. Run by meson.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "both_walks.h"
#include "frame_shapes.h"

namespace umaskaudit::testing_support {

namespace {

std::string frames(const std::uintptr_t* pcs, unsigned count) {
  std::string text;
  for (unsigned i = 0; i < count; ++i) {
    char line[32];
    std::snprintf(line, sizeof line, " %zx", static_cast<std::size_t>(pcs[i]));
    text += line;
  }
  return text;
}

void expect_equal() {
  EXPECT_TRUE(both.equal()) << "ours:  " << frames(both.ours, both.walk.count)
                            << "\ntheirs:" << frames(both.theirs, both.their_count);
  EXPECT_FALSE(both.walk.truncated);
  EXPECT_FALSE(both.walk.guessed);
  EXPECT_GE(both.walk.count, 4u);
}

struct ShapeSet {
  const char* name;
  const FrameShape* shapes;
};
const ShapeSet kSets[] = {{"optimized", kOptimizedShapes}, {"plain", kPlainShapes}};

void for_each_shape(void (*body)(const FrameShape&)) {
  for (const ShapeSet& set : kSets) {
    for (unsigned i = 0; i < kShapeCount; ++i) {
      SCOPED_TRACE(std::string(set.name) + ": " + set.shapes[i].name);
      both = {};
      body(set.shapes[i]);
    }
  }
}

TEST(Unwind, EveryFrameShape) {
  for_each_shape([](const FrameShape& shape) {
    shape.call(walk_both);
    expect_equal();
    shape.call(walk_both);  // from the cache of rules
    expect_equal();
  });
}

TEST(Unwind, FromAThread) {
  for_each_shape([](const FrameShape& shape) {
    std::thread([&] { shape.call(walk_both); }).join();
    expect_equal();
  });
}

TEST(Unwind, StopsWhereTheRoomEnds) {
  kOptimizedShapes[1].call([] { walk_both_within(16); });
  EXPECT_EQ(both.walk.count, 16u);
  EXPECT_TRUE(both.walk.truncated);
  EXPECT_EQ(both.agreeing(), 16u);
  walk_both_within(1);
  EXPECT_EQ(both.walk.count, 1u);
  EXPECT_EQ(both.ours[0], both.theirs[0]);
}

class Handler {
 public:
  Handler(int signal, void (*handler)(int), int flags = 0) : signal_(signal) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigaction(signal, &action, &before_);
  }
  ~Handler() { sigaction(signal_, &before_, nullptr); }
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;

 private:
  int signal_;
  struct sigaction before_;
};

void walk_in_handler(int) { walk_both(); }

TEST(Unwind, ThroughASignalHandler) {
  const Handler handler(SIGUSR1, walk_in_handler);
  for_each_shape([](const FrameShape& shape) {
    shape.call([] { raise(SIGUSR1); });
    expect_equal();
  });
}

TEST(Unwind, FromAnAlternateStack) {
  std::vector<char> memory(1 << 16);
  const stack_t stack{memory.data(), 0, memory.size()};
  stack_t before;
  ASSERT_EQ(sigaltstack(&stack, &before), 0);
  {
    const Handler handler(SIGUSR1, walk_in_handler, SA_ONSTACK);
    for_each_shape([](const FrameShape& shape) {
      shape.call([] { raise(SIGUSR1); });
      expect_equal();
    });
  }
  sigaltstack(&before, nullptr);
}

TEST(Unwind, ASignalInsideASignal) {
  const Handler inner(SIGUSR1, walk_in_handler);
  const Handler outer(SIGUSR2, [](int) { raise(SIGUSR1); });
  for_each_shape([](const FrameShape& shape) {
    shape.call([] { raise(SIGUSR2); });
    expect_equal();
  });
}

#if defined(__x86_64__)

// Interrupted at every instruction: half-built frames, epilogues, the PLT, libc's assembly.
struct Stepping {
  unsigned steps = 0;
  unsigned shorter = 0;  // ours ended early, agreeing so far
  unsigned different = 0;
  unsigned guessed = 0;
} stepping;

void step_handler(int) {
  walk_both();
  ++stepping.steps;
  if (both.walk.guessed) ++stepping.guessed;
  if (both.equal()) return;
  if (both.agreeing() == both.walk.count) {
    ++stepping.shorter;
  } else {
    ++stepping.different;
  }
}

// The trap flag of the CPU: a SIGTRAP behind every instruction. Not in handlers, where the kernel
// clears it.
void set_trap_flag() { asm volatile("pushfq; orq $0x100, (%%rsp); popfq" : : : "memory", "cc"); }
void clear_trap_flag() {
  asm volatile("pushfq; andq $~0x100, (%%rsp); popfq" : : : "memory", "cc");
}

TEST(Unwind, AtEveryInstruction) {
  const Handler handler(SIGTRAP, step_handler);
  for_each_shape([](const FrameShape& shape) {
    const std::string name = shape.name;
    if (name == "deep recursion") return;  // the same few instructions
    // Exceptions of this program go through libunwind, for it comes before libgcc_s; it blocks
    // signals, and a blocked SIGTRAP kills.
    if (name == "exception") return;
    stepping = {};
    const Probe nothing = [] {};
    shape.call(nothing);  // binds symbols, which takes 10,000 instructions
    set_trap_flag();
    shape.call(nothing);
    clear_trap_flag();
    EXPECT_GT(stepping.steps, 10u);
    EXPECT_EQ(stepping.different, 0u) << "of " << stepping.steps;
    // While a frame is being realigned its CFA is in r10, for a few instructions.
    EXPECT_LE(stepping.shorter, 10u) << "of " << stepping.steps;
    EXPECT_EQ(stepping.guessed, 0u);
  });
}

#endif

}  // namespace

}  // namespace umaskaudit::testing_support

// The stack walk where tables do not help: generated code, overwritten frames, code that was
// replaced. It may end early, but never crash, and never name a frame that is not there when the
// stack is sound. Run by meson.

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "both_walks.h"
#include "frame_shapes.h"
#include "preload/sys/sys.h"

// An assembler function that has no call frame information at all.
asm(R"(
  .text
  .globl call_without_tables
  .type call_without_tables, @function
call_without_tables:
  push %rbx
  call *%rdi
  pop %rbx
  ret
  .size call_without_tables, . - call_without_tables
)");
extern "C" void call_without_tables(umaskaudit::testing_support::Probe probe);

namespace umaskaudit::testing_support {

namespace {

// Code that no object accounts for, as a compiler at run time makes it.
class GeneratedCode {
 public:
  explicit GeneratedCode(const std::vector<unsigned char>& bytes)
      : at_(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    memcpy(at_, bytes.data(), bytes.size());
    mprotect(at_, kSize, PROT_READ | PROT_EXEC);
  }
  ~GeneratedCode() { munmap(at_, kSize); }
  GeneratedCode(const GeneratedCode&) = delete;
  GeneratedCode& operator=(const GeneratedCode&) = delete;

  // Also without optimisation no frame of its own.
  [[gnu::always_inline]] void call(Probe probe) const {
    reinterpret_cast<void (*)(Probe)>(at_)(probe);
  }
  bool holds(std::uintptr_t pc) const { return pc - reinterpret_cast<std::uintptr_t>(at_) < kSize; }

 private:
  static constexpr std::size_t kSize = 4096;
  void* at_;
};

// push rbp; mov rbp, rsp; call rdi; pop rbp; ret
const std::vector<unsigned char> kWithFramePointer = {0x55, 0x48, 0x89, 0xe5,
                                                      0xff, 0xd7, 0x5d, 0xc3};
// sub rsp, 8; call rdi; add rsp, 8; ret
const std::vector<unsigned char> kWithout = {0x48, 0x83, 0xec, 0x08, 0xff, 0xd7,
                                             0x48, 0x83, 0xc4, 0x08, 0xc3};

std::vector<std::uintptr_t> ours() { return {both.ours, both.ours + both.walk.count}; }

TEST(UnwindHard, GeneratedCodeIsCrossedByItsFramePointer) {
  const GeneratedCode code(kWithFramePointer);
  walk_both();
  const std::vector<std::uintptr_t> from_here = ours();
  code.call(walk_both);
  std::vector<std::uintptr_t> through = ours();
  EXPECT_TRUE(both.walk.guessed);
  ASSERT_EQ(through.size(), from_here.size() + 1);
  EXPECT_TRUE(code.holds(through[0]));
  // Behind it, the same callers of this function.
  EXPECT_EQ(std::vector(through.begin() + 2, through.end()),
            std::vector(from_here.begin() + 1, from_here.end()));
}

TEST(UnwindHard, GeneratedCodeWithoutOneMayEndTheWalk) {
  const GeneratedCode code(kWithout);
  code.call(walk_both);
  ASSERT_GE(both.walk.count, 1u);
  EXPECT_TRUE(code.holds(both.ours[0]));
}

TEST(UnwindHard, AnAssemblersFunctionWithoutTablesEndsTheWalk) {
  call_without_tables(walk_both);
  EXPECT_EQ(both.walk.count, 1u);
  EXPECT_FALSE(both.walk.guessed);
}

// Walks with the shim's unwinder only: libunwind may crash on this.
shim::StackWalk ruined;
std::uintptr_t ruined_pcs[64];
[[gnu::noinline]] void walk_ours() {
  ruined = shim::walk_stack(UMASKAUDIT_STACK_START(), ruined_pcs, 64);
}

// A function that overwrites what its caller needs: slot 0 is the saved rbp, 1 the return address.
struct Damage {
  unsigned slot;
  std::uintptr_t value;
};
[[gnu::noinline]] void walk_with(const Damage& damage) {
  auto* frame = static_cast<volatile std::uintptr_t*>(__builtin_frame_address(0));
  const std::uintptr_t saved = frame[damage.slot];
  frame[damage.slot] = damage.value;
  walk_ours();
  frame[damage.slot] = saved;
}

void expect_survives(const Damage& damage) {
  walk_with(damage);
  EXPECT_GE(ruined.count, 1u);
  EXPECT_LE(ruined.count, 64u);
  // The frame itself is sound, and so is what it says: the return address, be it nonsense.
  if (damage.slot == 1 && damage.value != 0) {
    ASSERT_GE(ruined.count, 2u);
    EXPECT_EQ(ruined_pcs[1], damage.value);
  }
  if (damage.slot == 1 && damage.value == 0) {
    EXPECT_EQ(ruined.count, 1u);
  }
}

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

TEST(UnwindHard, OverwrittenFramesEndTheWalk) {
  void* forbidden = mmap(nullptr, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(forbidden, MAP_FAILED);
  const int here = 0;
  const std::uintptr_t values[] = {0,
                                   1,
                                   7,
                                   8,
                                   4095,
                                   4096,
                                   0x4141414141414141,
                                   UINTPTR_MAX,
                                   UINTPTR_MAX - 7,
                                   std::uintptr_t{1} << 47,
                                   (std::uintptr_t{1} << 47) - 8,
                                   0xffffffff81000000,
                                   0xffffffffff600000,  // the old vsyscall page: execute only
                                   address(forbidden),
                                   address(forbidden) + 4096 - 8,
                                   address(forbidden) - 8,
                                   address(&here),
                                   address(&here) - 4096,
                                   address(&here) + 64,
                                   address(&here) + (1 << 19),
                                   address(&here) + (1 << 20) + 64};
  for (const std::uintptr_t value : values) {
    SCOPED_TRACE(value);
    expect_survives({0, value});
    expect_survives({1, value});
  }
  munmap(forbidden, 8192);
}

// Return addresses into real functions make the walk believe rules that do not belong to the frame.
TEST(UnwindHard, PlausibleNonsenseEndsTheWalkToo) {
  std::mt19937_64 random(7);
  const std::vector<char> heap(4096);
  const int here = 0;
  const std::uintptr_t near[] = {
      address(reinterpret_cast<void*>(&qsort)), address(reinterpret_cast<void*>(&memcpy)),
      address(reinterpret_cast<void*>(&walk_both)), address(heap.data()), address(&here)};
  for (unsigned i = 0; i < 20000; ++i) {
    const std::uintptr_t base = near[random() % std::size(near)];
    const std::uintptr_t value = i % 8 == 0 ? random() : base + random() % 65536 - 32768;
    expect_survives({static_cast<unsigned>(random() % 2), value});
  }
}

// Several frames of it at once: a stack full of random words above a frame without tables.
TEST(UnwindHard, ARandomStackEndsTheWalk) {
  std::mt19937_64 random(11);
  std::vector<std::uintptr_t> stack(512);
  for (unsigned round = 0; round < 2000; ++round) {
    for (std::uintptr_t& word : stack) {
      switch (random() % 4) {
        case 0:
          word = address(&stack[random() % stack.size()]);
          break;
        case 1:
          word = address(reinterpret_cast<void*>(&qsort)) + random() % 65536;
          break;
        case 2:
          word = random();
          break;
        default:
          word = random() % 4096;
      }
    }
    const shim::StackStart start{random() % 2 != 0 ? random() : stack[1] | 1, address(stack.data()),
                                 address(&stack[random() % stack.size()])};
    const shim::StackWalk walk = shim::walk_stack(start, ruined_pcs, 64);
    EXPECT_GE(walk.count, 1u);
    EXPECT_LE(walk.count, 64u);
  }
}

// A filter that bars the question whether a page is there: then only the first page is read, by a
// thread whose stack is not known yet.
TEST(UnwindHard, EndsAtThePagesEndWhenItMayNotAsk) {
  shim::sys::barred[0].store(1ul << SYS_rt_sigprocmask);
  shim::sys::filtered.store(true);
  std::thread([] { kOptimizedShapes[2].call(walk_both); }).join();  // the large frame
  shim::sys::filtered.store(false);
  shim::sys::barred[0].store(0);
  EXPECT_GE(both.walk.count, 1u);
  EXPECT_LT(both.walk.count, both.their_count);
  EXPECT_EQ(both.agreeing(), both.walk.count);
}

// Two libraries that differ in one frame's size, one after the other at the same addresses.
class Library {
 public:
  explicit Library(const char* path) : handle_(dlopen(path, RTLD_NOW | RTLD_LOCAL)) {}
  ~Library() {
    if (handle_ != nullptr) dlclose(handle_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  void call(Probe probe) const {
    reinterpret_cast<void (*)(Probe)>(dlsym(handle_, "call_from_library"))(probe);
  }
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  void* handle_;
};

TEST(UnwindHard, OtherCodeAtTheSameAddress) {
  std::uintptr_t first = 0;
  {
    const Library library(SMALL_FRAME_LIBRARY);
    ASSERT_TRUE(library) << dlerror();
    library.call(walk_both);
    EXPECT_TRUE(both.equal());
    first = both.ours[0];
  }
  const Library library(LARGE_FRAME_LIBRARY);
  ASSERT_TRUE(library) << dlerror();
  library.call(walk_both);
  if (both.ours[0] != first) GTEST_SKIP() << "the libraries were loaded at different places";
  // Still the first one's rule, unless another address has taken its place in the table.
  if (both.equal()) GTEST_SKIP() << "the first one's rule was replaced by chance";
  shim::forget_code();
  library.call(walk_both);
  EXPECT_TRUE(both.equal());
}

}  // namespace

}  // namespace umaskaudit::testing_support

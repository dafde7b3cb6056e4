// The simulation of seccomp filters against the kernel, which runs the same filter.
// The simulation must never say "permitted" where the kernel refuses: that call kills the program.
// Run by meson.

#include "preload/process/seccomp.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstddef>
#include <random>

#include "kernel_filter.h"
#include "preload/log/blind_spot.h"
#include "preload/mask/fs_context.h"
#include "preload/record/segment.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {
unsigned mapped_ahead = 0;
unsigned blind_spots = 0;
std::uint32_t intact = 1;
}  // namespace

// The rest of the shim, as far as seccomp.cc calls it. No thread is set up, so each is asked for.
constinit Process process;
constinit thread_local ThreadState thread_state;
constinit FsContext contexts[kContexts];
volatile std::uint32_t* fork_guard = &intact;
Task enter_slowly() { return {1, 1, nullptr}; }
std::uint32_t context_id(const Task&) { return 1; }
void map_ahead() { ++mapped_ahead; }
void report_blind_spot(const Author&, trace::Blind reason, Call, std::uint32_t, std::uint32_t,
                       const char*, std::uint32_t) {
  if (reason == trace::Blind::seccomp) ++blind_spots;
}

namespace {

using testing_support::ask_kernel;
using testing_support::Filter;
using testing_support::is_asked;
using testing_support::Verdicts;

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kKill = SECCOMP_RET_KILL_PROCESS;
#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
}
sock_filter load_number() { return load(offsetof(seccomp_data, nr)); }
sock_filter verdict(std::uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }
sock_filter jump(unsigned test, std::uint32_t value, std::uint8_t yes, std::uint8_t no) {
  return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), value, yes, no);
}

Verdicts simulate(Filter filter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  const FilterOutlook outlook = study_filter(&program);
  Verdicts permitted{};
  bool any_barred = false;
  for (unsigned i = 0; i < permitted.size(); ++i) {
    permitted[i] = (outlook.barred[i / 64] >> i % 64 & 1) == 0;
    any_barred = any_barred || !permitted[i];
  }
  EXPECT_EQ(outlook.bars_something, any_barred);
  return permitted;
}

// For filters that look at nothing but the number: exactly what the kernel says.
void expect_same(const Filter& filter) {
  const auto truth = ask_kernel(filter, 0);
  ASSERT_TRUE(truth.has_value());
  const Verdicts simulated = simulate(filter);
  for (unsigned i = 0; i < simulated.size(); ++i) {
    if (!is_asked(i)) continue;
    ASSERT_EQ(simulated[i], (*truth)[i]) << "system call " << i;
  }
}

constexpr std::uint64_t kArguments[] = {0, 1, 2, 077, UINT32_MAX, UINT64_MAX, O_CREAT | O_WRONLY};

// For all others: never more than the kernel permits, whatever the arguments.
void expect_careful(const Filter& filter) {
  const Verdicts simulated = simulate(filter);
  for (const std::uint64_t argument : kArguments) {
    const auto truth = ask_kernel(filter, argument);
    ASSERT_TRUE(truth.has_value());
    for (unsigned i = 0; i < simulated.size(); ++i) {
      if (!is_asked(i)) continue;
      ASSERT_TRUE((*truth)[i] || !simulated[i]) << "system call " << i << ", " << argument;
    }
  }
}

TEST(Seccomp, AllowList) {
  Filter filter = {load_number()};
  const std::uint32_t allowed[] = {SYS_read,  SYS_write,  SYS_openat,      SYS_exit_group,
                                   SYS_umask, SYS_gettid, SYS_rt_sigreturn};
  for (const std::uint32_t number : allowed) {
    filter.push_back(jump(BPF_JEQ, number, 0, 1));
    filter.push_back(verdict(kAllow));
  }
  filter.push_back(verdict(kKill));
  expect_same(filter);
  const Verdicts permitted = simulate(filter);
  EXPECT_EQ(std::count(permitted.begin(), permitted.end(), true), 7);
}

TEST(Seccomp, DenyListWithErrno) {
  expect_same({load_number(), jump(BPF_JEQ, SYS_statx, 2, 0), jump(BPF_JEQ, SYS_mremap, 1, 0),
               verdict(kAllow), verdict(SECCOMP_RET_ERRNO | 1)});
}

TEST(Seccomp, LoggedIsPermittedTracedIsNot) {
  expect_same({load_number(), jump(BPF_JGE, 100, 0, 1), verdict(SECCOMP_RET_LOG),
               jump(BPF_JGE, 50, 0, 1), verdict(SECCOMP_RET_TRACE), verdict(SECCOMP_RET_TRAP)});
}

// As libseccomp writes it: the architecture, the x32 bit, then a search by comparison.
TEST(Seccomp, ArchitectureCheckAndBinarySearch) {
  expect_same({load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, kArchitecture, 0, 8),
               load_number(), jump(BPF_JGE, 0x40000000, 6, 0), jump(BPF_JGT, 39, 2, 0),
               jump(BPF_JGT, 3, 0, 3), verdict(kAllow), jump(BPF_JGT, 230, 1, 0),
               verdict(SECCOMP_RET_ERRNO | 38), verdict(kAllow), verdict(kKill)});
}

// For another machine's calls only: this one's are all permitted.
TEST(Seccomp, ForeignArchitectureOnly) {
  const Filter filter = {load(offsetof(seccomp_data, arch)), jump(BPF_JEQ, AUDIT_ARCH_I386, 1, 0),
                         verdict(kAllow), verdict(kKill)};
  expect_same(filter);
  const Verdicts permitted = simulate(filter);
  EXPECT_EQ(std::count(permitted.begin(), permitted.end(), false), 0);
}

// openat only without O_CREAT: what depends on arguments counts as barred.
TEST(Seccomp, ArgumentsDecide) {
  const Filter filter = {load_number(),
                         jump(BPF_JEQ, SYS_openat, 0, 2),
                         load(offsetof(seccomp_data, args) + 16),
                         jump(BPF_JSET, O_CREAT, 1, 0),
                         verdict(kAllow),
                         verdict(kKill)};
  expect_careful(filter);
  const Verdicts permitted = simulate(filter);
  EXPECT_FALSE(permitted[SYS_openat]);
  EXPECT_TRUE(permitted[SYS_read]);
}

TEST(Seccomp, CallersAddressDecides) {
  expect_careful({load(offsetof(seccomp_data, instruction_pointer)), jump(BPF_JGT, 0x1000, 0, 1),
                  verdict(kAllow), verdict(kKill)});
}

TEST(Seccomp, MemoryAndRegisters) {
  expect_same({load_number(), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_IMM, 64),
               BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_LD | BPF_MEM, 3),
               BPF_STMT(BPF_ALU | BPF_SUB | BPF_X, 0), BPF_STMT(BPF_STX, 4),
               BPF_STMT(BPF_LDX | BPF_MEM, 4), jump(BPF_JGT, 100, 0, 1), verdict(kAllow),
               verdict(kKill)});
}

// The kernel takes a shift by a register modulo 32, as the machine does.
TEST(Seccomp, ShiftsByARegister) {
  for (const std::uint16_t shift : {BPF_LSH, BPF_RSH}) {
    for (const std::uint32_t by : {0u, 1u, 31u, 32u, 33u, 64u, 255u}) {
      expect_same({load_number(), BPF_STMT(BPF_LDX | BPF_IMM, by),
                   BPF_STMT(static_cast<std::uint16_t>(BPF_ALU | shift | BPF_X), 0),
                   jump(BPF_JGT, 40, 0, 1), verdict(kAllow), verdict(kKill)});
    }
  }
}

// Operations that are not simulated: then nothing is believed to be permitted.
TEST(Seccomp, UnknownOperationsBar) {
  const sock_filter unknown[] = {
      BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 3), BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 3),
      BPF_STMT(BPF_ALU | BPF_NEG, 0), BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
      BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0)};
  for (const sock_filter& operation : unknown) {
    expect_careful(
        {load_number(), operation, jump(BPF_JGT, 40, 0, 1), verdict(kKill), verdict(kAllow)});
  }
}

// Random filters over the number and the architecture, with all operations that are simulated.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::uint32_t below(std::uint32_t limit) {
    return std::uniform_int_distribution<std::uint32_t>(0, limit - 1)(engine_);
  }
  template <typename T, std::size_t n>
  T pick(const T (&choices)[n]) {
    return choices[below(n)];
  }

 private:
  std::mt19937 engine_;
};

sock_filter random_operation(Random& random, unsigned left, bool arguments) {
  static constexpr std::uint16_t kArithmetic[] = {BPF_ADD, BPF_SUB, BPF_AND, BPF_OR,
                                                  BPF_XOR, BPF_LSH, BPF_RSH};
  static constexpr std::uint16_t kTests[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
  static constexpr std::uint16_t kSources[] = {BPF_K, BPF_X};
  switch (random.below(9)) {
    case 0:
      return load_number();
    case 1:
      return load(arguments ? 16 + 4 * random.below(12) : offsetof(seccomp_data, arch));
    case 2:
      return BPF_STMT(
          static_cast<std::uint16_t>((random.below(2) != 0 ? BPF_LD : BPF_LDX) | BPF_W | BPF_IMM),
          random.below(512));
    case 3:
      return BPF_STMT(
          static_cast<std::uint16_t>(BPF_MISC | (random.below(2) != 0 ? BPF_TAX : BPF_TXA)), 0);
    case 4:
    case 5: {
      const std::uint16_t op = random.pick(kArithmetic);
      const bool shift = op == BPF_LSH || op == BPF_RSH;
      return BPF_STMT(static_cast<std::uint16_t>(BPF_ALU | op | random.pick(kSources)),
                      random.below(shift ? 32 : 512));
    }
    default:
      return BPF_JUMP(
          static_cast<std::uint16_t>(BPF_JMP | random.pick(kTests) | random.pick(kSources)),
          random.below(512), static_cast<std::uint8_t>(random.below(left)),
          static_cast<std::uint8_t>(random.below(left)));
  }
}

Filter random_filter(Random& random, bool arguments) {
  static constexpr std::uint32_t kActions[] = {
      kAllow, kAllow, SECCOMP_RET_LOG, kKill, SECCOMP_RET_ERRNO | 1, SECCOMP_RET_TRAP};
  // The kernel refuses to read a memory cell that some way leaves unset: none is read here.
  Filter filter = {load_number()};
  const unsigned operations = 3 + random.below(12);
  constexpr unsigned kEnds = 4;
  for (unsigned i = 0; i < operations; ++i) {
    filter.push_back(random_operation(random, operations - i + kEnds - 1, arguments));
  }
  for (unsigned i = 0; i < kEnds; ++i) filter.push_back(verdict(random.pick(kActions)));
  return filter;
}

TEST(Seccomp, RandomFiltersOverTheNumber) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    expect_same(random_filter(random, false));
    if (HasFatalFailure()) return;
  }
}

TEST(Seccomp, RandomFiltersOverArguments) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(1000 + seed);
    expect_careful(random_filter(random, true));
    if (HasFatalFailure()) return;
  }
}

// The pointer is the program's: what cannot be read bars everything, and is not touched.
TEST(Seccomp, NonsenseBarsEverything) {
  const auto bars_all = [](const sock_fprog* program) {
    const FilterOutlook outlook = study_filter(program);
    for (const unsigned long word : outlook.barred) EXPECT_EQ(word, ~0ul);
  };
  bars_all(nullptr);  // strict mode
  bars_all(reinterpret_cast<const sock_fprog*>(8));
  const sock_fprog unmapped{3, reinterpret_cast<sock_filter*>(8)};
  bars_all(&unmapped);
  const sock_fprog empty{0, nullptr};
  bars_all(&empty);
  sock_filter one[] = {verdict(kAllow)};
  const sock_fprog too_long{BPF_MAXINSNS + 1, one};
  bars_all(&too_long);
  sock_filter endless[] = {load_number(), BPF_JUMP(BPF_JMP | BPF_JA, 0xfffffff0, 0, 0)};
  const sock_fprog leaves{2, endless};
  bars_all(&leaves);
}

TEST(Seccomp, AFilterThatRunsIntoAnUnmappedPage) {
  constexpr std::size_t kPage = 4096;
  auto* pages = static_cast<char*>(
      mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(pages, MAP_FAILED);
  ASSERT_EQ(mprotect(pages + kPage, kPage, PROT_NONE), 0);
  const sock_fprog program{4, reinterpret_cast<sock_filter*>(pages + kPage) - 2};
  const FilterOutlook outlook = study_filter(&program);
  for (const unsigned long word : outlook.barred) EXPECT_EQ(word, ~0ul);
  munmap(pages, 2 * kPage);
}

// seccomp(2): with TSYNC a positive result is the thread that could not follow, and no success.
TEST(SeccompInstalled, ResultsMeanWhatTheFlagsSay) {
  EXPECT_TRUE(was_installed(0, 0));
  EXPECT_FALSE(was_installed(-1, 0));
  EXPECT_TRUE(was_installed(0, SECCOMP_FILTER_FLAG_TSYNC));
  EXPECT_FALSE(was_installed(4243, SECCOMP_FILTER_FLAG_TSYNC));
  EXPECT_TRUE(was_installed(7, SECCOMP_FILTER_FLAG_NEW_LISTENER));
  EXPECT_TRUE(was_installed(7, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER));
  EXPECT_FALSE(was_installed(-1, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER));
}

// Last: from here on our own calls are barred in this process.
TEST(SeccompApplied, AddsUpAndKeepsOffTheKernel) {
  sock_filter allow[] = {verdict(kAllow)};
  const sock_fprog harmless{1, allow};
  install_filter(&harmless, 0, [] { return 0; });
  EXPECT_FALSE(sys::is_barred(SYS_getpid));
  EXPECT_EQ(blind_spots, 0u);

  Filter filter = {load_number(), jump(BPF_JEQ, SYS_getppid, 0, 1), verdict(kKill),
                   verdict(kAllow)};
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  mapped_ahead = 0;
  // Already while the kernel is asked: it may put the filter on other threads too.
  EXPECT_EQ(install_filter(&program, 0, [] { return sys::is_barred(SYS_getppid) ? -1 : 0; }), -1);
  EXPECT_FALSE(sys::is_barred(SYS_getppid));  // the kernel had refused it
  EXPECT_EQ(install_filter(&program, 0, [] { return 0; }), 0);
  EXPECT_EQ(mapped_ahead, 2u);
  EXPECT_EQ(blind_spots, 1u);
  EXPECT_TRUE(sys::is_barred(SYS_getppid));
  EXPECT_EQ(sys::call(SYS_getppid), -ENOSYS);
  EXPECT_GT(sys::call(SYS_getpid), 0);

  filter[1] = jump(BPF_JEQ, SYS_getpid, 0, 1);
  install_filter(&program, 0, [] { return 0; });
  EXPECT_EQ(sys::call(SYS_getppid), -ENOSYS);
  EXPECT_EQ(sys::call(SYS_getpid), -ENOSYS);
  EXPECT_EQ(sys::call(100000), -ENOSYS);
}

}  // namespace

}  // namespace umaskaudit::shim

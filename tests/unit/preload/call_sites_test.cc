// Where code makes system calls by itself, by bytes as compilers write them, and the filter that
// stops those. The kernel is asked what the filter does. Run by meson.

#include "preload/process/call_sites.h"

#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <string>
#include <utility>
#include <vector>

#include "preload/process/call_filter.h"
#include "tests/unit/preload/kernel_filter.h"

namespace umaskaudit::shim {

namespace {

#if defined(__x86_64__)

using Bytes = std::vector<unsigned char>;
using Sites = std::vector<std::pair<std::size_t, long>>;

Sites sites_of(const Bytes& code) {
  Sites sites;
  find_call_sites(
      code.data(), code.size(),
      [](void* argument, std::size_t offset, long number) {
        static_cast<Sites*>(argument)->emplace_back(offset, number);
      },
      &sites);
  return sites;
}

// Between other code, so that a whole step of the search is behind it.
Bytes amid(const Bytes& code) {
  Bytes all(40, 0x90);
  all.insert(all.end(), code.begin(), code.end());
  all.resize(all.size() + 40, 0x90);
  return all;
}

constexpr unsigned char kSyscall[] = {0x0f, 0x05};
Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}
const Bytes kCall(kSyscall, kSyscall + 2);
const Bytes kMkdirat = {0xb8, 0x02, 0x01, 0x00, 0x00};  // mov eax, 258
const Bytes kCompare = {0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff};

long number_of(const Bytes& code) {
  const Sites sites = sites_of(amid(code));
  return sites.size() == 1 ? sites[0].second : -100;
}

TEST(CallSites, TellsTheNumberInFrontOfACall) {
  EXPECT_EQ(number_of(kMkdirat + kCall), SYS_mkdirat);
  // mov rdi, -100; mov rsi, [rsp+0x50]; mov edx, 0750
  EXPECT_EQ(number_of(kMkdirat + Bytes{0x48, 0xc7, 0xc7, 0x9c, 0xff, 0xff, 0xff} +
                      Bytes{0x48, 0x8b, 0x74, 0x24, 0x50} + Bytes{0xba, 0xe8, 0x01, 0, 0} + kCall),
            SYS_mkdirat);
  // mov rax, 95; lea rsi, [rip+x]; xor edx, edx; mov r10, r8
  EXPECT_EQ(number_of(Bytes{0x48, 0xc7, 0xc0, 0x5f, 0, 0, 0} + Bytes{0x48, 0x8d, 0x35, 1, 2, 3, 4} +
                      Bytes{0x31, 0xd2} + Bytes{0x4d, 0x89, 0xc2} + kCall),
            SYS_umask);
  // xor eax, eax: read(2)
  EXPECT_EQ(number_of(Bytes{0x31, 0xc0} + kCall), SYS_read);
  // mov r12d, 258; mov eax, r12d
  EXPECT_EQ(number_of(Bytes{0x41, 0xbc, 0x02, 0x01, 0, 0} + Bytes{0x44, 0x89, 0xe0} + kCall),
            SYS_mkdirat);
}

TEST(CallSites, SaysWhereTheProcessorGoesOn) {
  const Sites sites = sites_of(kMkdirat + kCall + Bytes(20, 0x90));
  ASSERT_EQ(sites.size(), 1u);
  EXPECT_EQ(sites[0].first, 7u);
}

TEST(CallSites, ANumberFromElsewhereIsUnknown) {
  const Bytes from_argument = {0x48, 0x89, 0xf8};  // mov rax, rdi
  EXPECT_EQ(number_of(from_argument + kCall + kCompare), kUnknownNumber);
  EXPECT_EQ(number_of(from_argument + kCall + Bytes{0xc3}), kUnknownNumber);
  // Nothing looks at a result: hardly a call.
  EXPECT_EQ(sites_of(amid(from_argument + kCall)), Sites{});
}

TEST(CallSites, BytesAmongOthersAreNoCall) {
  EXPECT_EQ(sites_of(amid({0xe8, 0x0f, 0x05, 0x00, 0x00})), Sites{});        // call
  EXPECT_EQ(sites_of(amid({0x48, 0x8d, 0x05, 0x0f, 0x05, 0, 0})), Sites{});  // lea rax, [rip+x]
  EXPECT_EQ(sites_of(Bytes(4096, 0x0f)), Sites{});
  EXPECT_EQ(sites_of({0x0f}), Sites{});
  EXPECT_EQ(sites_of({}), Sites{});
  // A number that no call has.
  EXPECT_EQ(sites_of(amid(Bytes{0xb8, 0, 0, 0, 1} + kCall)), Sites{});
}

TEST(CallSites, FindsThemAtEachPlace) {
  for (std::size_t before = 0; before < 40; ++before) {
    for (const std::size_t after : {0, 1, 5, 17}) {
      const Bytes code = Bytes(before, 0x90) + kMkdirat + kCall + Bytes(after, 0xc3);
      const Sites sites = sites_of(code);
      // Reading backwards wants some bytes behind.
      if (after < 5) continue;
      ASSERT_EQ(sites.size(), 1u) << before << ' ' << after;
      EXPECT_EQ(sites[0], (std::pair<std::size_t, long>{before + 7, SYS_mkdirat}));
    }
  }
}

// Under a filter that stops what is made at `site`: ENOSYS, as without a tracer.
long made_at(long number, long a, long b, long c, std::uintptr_t* site) {
  long result = number;
  std::uintptr_t place = 0;
  asm volatile(
      "lea 1f(%%rip), %[place]\n\t"
      "syscall\n"
      "1:"
      : "+a"(result), [place] "=&r"(place)
      : "D"(a), "S"(b), "d"(c)
      : "rcx", "r11", "memory");
  *site = place;
  return result;
}

[[gnu::noinline]] long call_here(long number, long a, long b, long c, std::uintptr_t* site) {
  return made_at(number, a, b, c, site);
}

testing_support::Filter filter_for(std::uint64_t calls, const std::vector<std::uintptr_t>& sites) {
  testing_support::Filter filter(kLongestCallFilter);
  filter.resize(
      write_call_filter(calls, sites.data(), static_cast<unsigned>(sites.size()), filter.data()));
  return filter;
}

std::uint64_t bit_of(long number) { return std::uint64_t{1} << inline_call_of(number); }

TEST(CallFilter, StopsACallByItsPlaceAndNumber) {
  std::uintptr_t site = 0;
  call_here(SYS_getppid, 0, 0, 0, &site);
  // With a neighbour in the same half of the address space, and one in another.
  const auto filter = filter_for(bit_of(SYS_umask) | bit_of(SYS_openat),
                                 {0x1234, site + 1, site, site + 0x500000000});
  EXPECT_EQ(testing_support::run_under(
                filter,
                [] {
                  std::uintptr_t at = 0;
                  const auto path = reinterpret_cast<long>("/");
                  const long stopped = call_here(SYS_umask, 022, 0, 0, &at);
                  const long other = call_here(SYS_getppid, 0, 0, 0, &at);
                  const long read = call_here(SYS_openat, -100, path, 0, &at);
                  const long create = call_here(SYS_openat, -100, path, 0100, &at);
                  const long elsewhere = syscall(SYS_umask, 022);
                  return (stopped == -38 ? 1 : 0) | (other > 0 ? 2 : 0) | (read >= 0 ? 4 : 0) |
                         (create == -38 ? 8 : 0) | (elsewhere >= 0 ? 16 : 0);
                }),
            31);
}

TEST(CallFilter, FitsWhateverIsFound) {
  std::vector<std::uintptr_t> sites;
  for (unsigned i = 0; i < kMostCallSites; ++i) sites.push_back((std::uintptr_t{i} << 32) + i);
  const auto filter = filter_for(~std::uint64_t{0}, sites);
  EXPECT_LE(filter.size(), kLongestCallFilter);
  EXPECT_LE(filter.size(), 4096u);  // BPF_MAXINSNS
  EXPECT_EQ(testing_support::run_under(filter, [] { return 7; }), 7);
}

#endif

TEST(CallSites, KnowsWhatMatters) {
  EXPECT_NE(inline_call_of(SYS_umask), kNoInlineCall);
  EXPECT_NE(inline_call_of(SYS_renameat2), kNoInlineCall);
  EXPECT_EQ(inline_call_of(SYS_getpid), kNoInlineCall);
  EXPECT_EQ(inline_call_of(-1), kNoInlineCall);
}

}  // namespace

}  // namespace umaskaudit::shim

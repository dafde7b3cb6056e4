// Writes classic BPF; see call_filter.h and seccomp(2).

#include "preload/process/call_filter.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>

#include "preload/process/call_sites.h"
#include "preload/process/seccomp.h"

namespace umaskaudit::shim {

namespace {

// O_TMPFILE is two bits, of which one is O_DIRECTORY.
constexpr std::uint32_t kMayCreate = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);

class Writer {
 public:
  explicit Writer(sock_filter* filter) : filter_(filter) {}
  unsigned length() const { return length_; }

  void load(std::size_t offset) {
    put(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  void answer(std::uint32_t action) { put(BPF_RET | BPF_K, action); }
  // Skips the next instruction, or none.
  void skip_if_equal(std::uint32_t value) { jump(BPF_JEQ, value, 1, 0); }
  void skip_unless_equal(std::uint32_t value) { jump(BPF_JEQ, value, 0, 1); }
  void skip_unless_any(std::uint32_t bits) { jump(BPF_JSET, bits, 0, 1); }
  unsigned jump_later() {
    put(BPF_JMP | BPF_JA, 0);
    return length_ - 1;
  }
  void land(unsigned jump) { filter_[jump].k = length_ - jump - 1; }

 private:
  void put(unsigned code, std::uint32_t k) {
    filter_[length_++] = {static_cast<std::uint16_t>(code), 0, 0, k};
  }
  void jump(unsigned how, std::uint32_t k, std::uint8_t taken, std::uint8_t other) {
    filter_[length_++] = {static_cast<std::uint16_t>(BPF_JMP | how | BPF_K), taken, other, k};
  }

  sock_filter* filter_;
  unsigned length_ = 0;
};

std::uint32_t low(std::uintptr_t address) { return static_cast<std::uint32_t>(address); }
std::uint32_t high(std::uintptr_t address) { return static_cast<std::uint32_t>(address >> 32); }

// Sites with the same upper half of the address are adjacent.
void write_sites(Writer& out, const std::uintptr_t* sites, unsigned count) {
  constexpr std::size_t kAddress = offsetof(seccomp_data, instruction_pointer);
  for (unsigned i = 0; i < count;) {
    const std::uint32_t upper = high(sites[i]);
    out.load(kAddress + 4);
    out.skip_if_equal(upper);
    const unsigned other = out.jump_later();
    out.load(kAddress);
    for (; i < count && high(sites[i]) == upper; ++i) {
      out.skip_unless_equal(low(sites[i]));
      out.answer(SECCOMP_RET_TRACE);
    }
    out.land(other);
  }
  out.answer(SECCOMP_RET_ALLOW);
}

}  // namespace

unsigned write_call_filter(std::uint64_t calls, const std::uintptr_t* sites, unsigned count,
                           sock_filter* filter) {
  Writer out(filter);
  unsigned hits[kNoInlineCall];
  unsigned hit_count = 0;
  out.load(offsetof(seccomp_data, arch));
  out.skip_if_equal(kArchitecture);
  out.answer(SECCOMP_RET_ALLOW);
  out.load(offsetof(seccomp_data, nr));
  for (unsigned i = 0; i < kInlineCalls; ++i) {
    if ((calls >> i & 1) == 0) continue;
    const InlineCall& call = kInlineCall[i];
    out.skip_if_equal(static_cast<std::uint32_t>(call.number));
    const unsigned other = out.jump_later();
    if (call.flags_argument >= 0) {
      out.load(offsetof(seccomp_data, args) + 8 * static_cast<unsigned>(call.flags_argument));
      out.skip_unless_any(kMayCreate);
    }
    hits[hit_count++] = out.jump_later();
    if (call.flags_argument >= 0) out.answer(SECCOMP_RET_ALLOW);
    out.land(other);
  }
  out.answer(SECCOMP_RET_ALLOW);
  for (unsigned i = 0; i < hit_count; ++i) out.land(hits[i]);
  write_sites(out, sites, count);
  return out.length();
}

}  // namespace umaskaudit::shim

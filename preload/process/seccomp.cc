// Interprets classic BPF; see seccomp.h. Follows the kernel's
// Documentation/userspace-api/seccomp_filter.rst.

#include "preload/process/seccomp.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>

#include "preload/log/blind_spot.h"
#include "preload/mask/fs_context.h"
#include "preload/record/segment.h"
#include "preload/sys/clock_trial.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

struct Machine {
  std::uint32_t a = 0;
  std::uint32_t x = 0;
  std::uint32_t memory[BPF_MEMWORDS] = {};
};

// The word of seccomp_data at `offset`, if it does not depend on the arguments: a filter that tests
// arguments may bar ours, whatever it returns for zeros.
bool load_word(std::uint32_t offset, std::uint32_t number, std::uint32_t& out) {
  if (offset == offsetof(seccomp_data, nr)) return out = number, true;
  if (offset == offsetof(seccomp_data, arch)) return out = kArchitecture, true;
  return false;
}

bool arithmetic(const sock_filter& op, Machine& m) {
  const std::uint32_t operand = BPF_SRC(op.code) == BPF_X ? m.x : op.k;
  switch (BPF_OP(op.code)) {
    case BPF_ADD:
      m.a += operand;
      return true;
    case BPF_SUB:
      m.a -= operand;
      return true;
    case BPF_AND:
      m.a &= operand;
      return true;
    case BPF_OR:
      m.a |= operand;
      return true;
    case BPF_XOR:
      m.a ^= operand;
      return true;
    case BPF_LSH:
      m.a <<= operand & 31;  // the kernel masks the shift likewise
      return true;
    case BPF_RSH:
      m.a >>= operand & 31;
      return true;
    default:
      return false;
  }
}

bool jump_taken(const sock_filter& op, const Machine& m, bool& taken) {
  const std::uint32_t operand = BPF_SRC(op.code) == BPF_X ? m.x : op.k;
  switch (BPF_OP(op.code)) {
    case BPF_JEQ:
      taken = m.a == operand;
      return true;
    case BPF_JGT:
      taken = m.a > operand;
      return true;
    case BPF_JGE:
      taken = m.a >= operand;
      return true;
    case BPF_JSET:
      taken = (m.a & operand) != 0;
      return true;
    default:
      return false;
  }
}

bool is_permission(std::uint32_t action) {
  const std::uint32_t kind = action & SECCOMP_RET_ACTION_FULL;
  return kind == SECCOMP_RET_ALLOW || kind == SECCOMP_RET_LOG;
}

// True only when the filter certainly allows `number`, with any arguments.
bool permits(const sock_fprog& filter, std::uint32_t number) {
  Machine m;
  for (unsigned at = 0; at < filter.len; ++at) {
    const sock_filter& op = filter.filter[at];
    switch (BPF_CLASS(op.code)) {
      case BPF_RET:
        return is_permission(BPF_RVAL(op.code) == BPF_A ? m.a : op.k);
      case BPF_LD:
        if (BPF_MODE(op.code) == BPF_IMM) {
          m.a = op.k;
        } else if (BPF_MODE(op.code) == BPF_MEM && op.k < BPF_MEMWORDS) {
          m.a = m.memory[op.k];
        } else if (BPF_MODE(op.code) != BPF_ABS || !load_word(op.k, number, m.a)) {
          return false;
        }
        break;
      case BPF_LDX:
        if (BPF_MODE(op.code) == BPF_IMM) {
          m.x = op.k;
        } else if (BPF_MODE(op.code) == BPF_MEM && op.k < BPF_MEMWORDS) {
          m.x = m.memory[op.k];
        } else {
          return false;
        }
        break;
      case BPF_ST:
      case BPF_STX:
        if (op.k >= BPF_MEMWORDS) return false;
        m.memory[op.k] = BPF_CLASS(op.code) == BPF_ST ? m.a : m.x;
        break;
      case BPF_ALU:
        if (!arithmetic(op, m)) return false;
        break;
      case BPF_JMP: {
        if (BPF_OP(op.code) == BPF_JA) {
          at += op.k;
          break;
        }
        bool taken = false;
        if (!jump_taken(op, m, taken)) return false;
        at += taken ? op.jt : op.jf;
        break;
      }
      case BPF_MISC:
        if (BPF_MISCOP(op.code) == BPF_TAX) {
          m.x = m.a;
        } else {
          m.a = m.x;
        }
        break;
      default:
        return false;
    }
  }
  return false;
}

bool whole_program_readable(const sock_fprog* filter) {
  if (!sys::readable(filter) || !sys::readable(filter + 1) || filter->len > BPF_MAXINSNS) {
    return false;
  }
  constexpr std::size_t kPage = 4096;
  const auto* begin = reinterpret_cast<const char*>(filter->filter);
  const auto* end = reinterpret_cast<const char*>(filter->filter + filter->len);
  for (const char* at = begin; at < end; at += kPage) {
    if (!sys::readable(at)) return false;
  }
  return filter->len == 0 || sys::readable(end - 1);
}

}  // namespace

FilterOutlook study_filter(const sock_fprog* filter) {
  FilterOutlook outlook;
  const bool readable = filter != nullptr && whole_program_readable(filter);
  for (unsigned number = 0; number < sys::kNumbers; ++number) {
    if (readable && permits(*filter, number)) continue;
    outlook.barred[number / 64] |= 1ul << number % 64;
    outlook.bars_something = true;
  }
  if (outlook.bars_something) map_ahead();
  constexpr auto kClock = unsigned{SYS_clock_gettime};
  if ((outlook.barred[kClock / 64] >> kClock % 64 & 1) != 0) stop_clock_without_vdso();
  return outlook;
}

namespace {

constinit std::atomic<bool> slot_taken[sys::kInstalling] = {};

void bar(sys::Numbers& numbers, const FilterOutlook& outlook) {
  for (unsigned i = 0; i < sys::kNumbers / 64; ++i) numbers[i].fetch_or(outlook.barred[i]);
  sys::filtered.store(true);
}

}  // namespace

unsigned expect_filter(const FilterOutlook& outlook) {
  if (!outlook.bars_something) return sys::kInstalling;
  for (unsigned slot = 0; slot < sys::kInstalling; ++slot) {
    if (slot_taken[slot].exchange(true)) continue;
    bar(sys::barred_soon[slot], outlook);
    return slot;
  }
  // More threads install filters at once than there are sets: barred for good, even if the kernel
  // refuses.
  bar(sys::barred, outlook);
  return sys::kInstalling;
}

void settle_filter(const FilterOutlook& outlook, unsigned expected, bool installed) {
  if (!outlook.bars_something) return;
  if (installed) bar(sys::barred, outlook);
  if (expected < sys::kInstalling) {
    for (std::atomic<unsigned long>& word : sys::barred_soon[expected]) word.store(0);
    slot_taken[expected].store(false);
  }
  if (!installed) return;
  const Task task = enter();
  report_blind_spot({task.tid, task.pid}, trace::Blind::seccomp, Call::prctl, context_id(task), 0,
                    "seccomp", 7);
}

}  // namespace umaskaudit::shim

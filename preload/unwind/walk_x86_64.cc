// The stack walk for x86-64: call frame information first, frame pointers where there is none.
// See unwind.h for what it must never do.

#include <atomic>

#include "preload/unwind/cfi.h"
#include "preload/unwind/expression.h"
#include "preload/unwind/memory.h"
#include "preload/unwind/unwind.h"

namespace umaskaudit::shim {

namespace {

// What is known about one code address, in one word, so that threads and signal handlers may read
// and replace entries at any time: 36 tag bits which, with the 12 index bits, are the address
// itself (user addresses have 47; the multiplication is a bijection), and 28 bits of rule:
//   27 CFA is rbp + n (else rsp + n)   26 rbp is saved   25..14 -rbp_offset / 8   13..0 n / 8
// The return address lies below the CFA, so n is at least 8; n = 0 marks the outermost frame.
// Rules that do not fit are looked up each time.
constexpr unsigned kIndexBits = 12;
constexpr unsigned kRuleBits = 28;
constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << 48) - 1;
constinit std::atomic<std::uint64_t> cache[1u << kIndexBits] = {};

std::uint64_t scramble(std::uintptr_t pc) { return pc * 0x9E3779B97F4B & kAddressMask; }

constexpr std::uint64_t kOutermost = std::uint64_t{1} << 26;

bool pack(const FrameRule& rule, std::uint64_t& packed) {
  if (rule.end) return packed = kOutermost, true;
  if (rule.cfa != FrameRule::Cfa::rsp && rule.cfa != FrameRule::Cfa::rbp) return false;
  if (rule.signal_frame || rule.pc_offset != -8 || rule.pc_expression != nullptr ||
      rule.rbp_expression != nullptr || rule.sp_expression != nullptr) {
    return false;
  }
  const std::int32_t saved = rule.rbp_saved ? -rule.rbp_offset : 0;
  if (rule.cfa_offset <= 0 || rule.cfa_offset % 8 != 0 || rule.cfa_offset / 8 >= 1 << 14 ||
      saved < 0 || saved % 8 != 0 || saved / 8 >= 1 << 12) {
    return false;
  }
  packed = static_cast<std::uint64_t>(rule.cfa == FrameRule::Cfa::rbp) << 27 |
           static_cast<std::uint64_t>(rule.rbp_saved) << 26 |
           static_cast<std::uint64_t>(saved / 8) << 14 |
           static_cast<std::uint64_t>(rule.cfa_offset / 8);
  return true;
}

FrameRule unpack(std::uint64_t packed) {
  FrameRule rule;
  rule.end = packed == kOutermost;
  rule.cfa = (packed >> 27 & 1) != 0 ? FrameRule::Cfa::rbp : FrameRule::Cfa::rsp;
  rule.rbp_saved = (packed >> 26 & 1) != 0;
  rule.rbp_offset = -static_cast<std::int32_t>(packed >> 14 & 0xfff) * 8;
  rule.cfa_offset = static_cast<std::int32_t>(packed & 0x3fff) * 8;
  return rule;
}

Lookup cached_rule(std::uintptr_t pc, FrameRule& rule) {
  const std::uint64_t key = scramble(pc);
  std::atomic<std::uint64_t>& entry = cache[key >> 36];
  const std::uint64_t tag = (key & ((std::uint64_t{1} << 36) - 1)) << kRuleBits;
  constexpr std::uint64_t kRuleMask = (std::uint64_t{1} << kRuleBits) - 1;
  const std::uint64_t known = entry.load(std::memory_order_relaxed);
  // A packed rule is never 0.
  if ((known & ~kRuleMask) == tag && (known & kRuleMask) != 0) {
    rule = unpack(known & kRuleMask);
    return Lookup::found;
  }
  const Lookup lookup = find_rule(pc, rule);
  std::uint64_t packed = 0;
  if (lookup == Lookup::found && pack(rule, packed)) {
    entry.store(tag | packed, std::memory_order_relaxed);
  }
  return lookup;
}

bool find_cfa(const FrameRule& rule, const FrameRegisters& at, StackMemory& memory,
              std::uintptr_t& cfa) {
  switch (rule.cfa) {
    case FrameRule::Cfa::rsp:
      cfa = at.sp + static_cast<std::uintptr_t>(std::intptr_t{rule.cfa_offset});
      return true;
    case FrameRule::Cfa::rbp:
      cfa = at.fp + static_cast<std::uintptr_t>(std::intptr_t{rule.cfa_offset});
      return true;
    case FrameRule::Cfa::expression:
      return evaluate_expression(rule.cfa_expression, at, nullptr, memory, cfa);
    case FrameRule::Cfa::none:
      break;
  }
  return false;
}

// A saved register: by an expression's address, or at an offset from the CFA.
bool read_saved(const std::uint8_t* expression, std::int32_t offset, std::uintptr_t cfa,
                const FrameRegisters& at, StackMemory& memory, std::uintptr_t& out) {
  std::uintptr_t address = cfa + static_cast<std::uintptr_t>(std::intptr_t{offset});
  if (expression != nullptr && !evaluate_expression(expression, at, &cfa, memory, address)) {
    return false;
  }
  return memory.read(address, out);
}

bool step(const FrameRule& rule, FrameRegisters& at, StackMemory& memory) {
  std::uintptr_t cfa = 0;
  if (rule.end || !find_cfa(rule, at, memory, cfa)) return false;
  FrameRegisters caller{0, cfa, at.fp};
  if (!read_saved(rule.pc_expression, rule.pc_offset, cfa, at, memory, caller.pc)) return false;
  if (rule.rbp_saved &&
      !read_saved(rule.rbp_expression, rule.rbp_offset, cfa, at, memory, caller.fp)) {
    return false;
  }
  if (rule.sp_expression != nullptr &&
      !read_saved(rule.sp_expression, 0, cfa, at, memory, caller.sp)) {
    return false;
  }
  // Stacks grow downwards. Only a signal frame may lead to another stack.
  if (!rule.signal_frame && caller.sp <= at.sp) return false;
  at = caller;
  return true;
}

// Generated code has no tables; most of it keeps frame pointers.
bool step_by_frame_pointer(FrameRegisters& at, StackMemory& memory) {
  constexpr std::uintptr_t kLargestFrame = 1 << 20;
  if (at.fp < at.sp || at.fp - at.sp > kLargestFrame) return false;
  FrameRegisters caller{0, at.fp + 16, 0};
  if (!memory.read(at.fp, caller.fp) || !memory.read(at.fp + 8, caller.pc)) return false;
  at = caller;
  return true;
}

}  // namespace

StackWalk walk_stack(const StackStart& start, std::uintptr_t* pcs, unsigned room) {
  StackWalk walk;
  FrameRegisters at{start.pc, start.sp, start.fp};
  StackMemory memory(start.sp);
  bool exact = false;  // the pc was interrupted there: a signal frame came before
  while (at.pc != 0) {
    if (walk.count == room) {
      walk.truncated = true;
      break;
    }
    pcs[walk.count++] = at.pc;
    FrameRule rule;
    const Lookup lookup = cached_rule(exact ? at.pc : at.pc - 1, rule);
    exact = lookup == Lookup::found && rule.signal_frame;
    if (lookup == Lookup::found) {
      if (!step(rule, at, memory)) break;
    } else {
      // Code of an object without a table for it (hand-written assembly) ends the walk: its frame
      // pointer means nothing. Generated code belongs to no object.
      if (lookup != Lookup::no_object || !step_by_frame_pointer(at, memory)) break;
      walk.guessed = true;
    }
  }
  return walk;
}

void forget_code() {
  for (auto& entry : cache) entry.store(0, std::memory_order_relaxed);
}

}  // namespace umaskaudit::shim

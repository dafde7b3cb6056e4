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

// Splits a code address: where its rule is kept, and what marks the rule as its own.
struct Slot {
  std::atomic<std::uint64_t>& entry;
  std::uint64_t tag;
};
Slot slot_of(std::uintptr_t pc) {
  const std::uint64_t key = scramble(pc);
  return {cache[key >> 36], (key & ((std::uint64_t{1} << 36) - 1)) << kRuleBits};
}

// 0, which no packed rule is: not known.
std::uint64_t cached_rule(std::uintptr_t pc) {
  const Slot slot = slot_of(pc);
  const std::uint64_t difference = slot.entry.load(std::memory_order_relaxed) ^ slot.tag;
  return difference >> kRuleBits == 0 ? difference : 0;
}

void remember_rule(std::uintptr_t pc, const FrameRule& rule) {
  std::uint64_t packed = 0;
  if (!pack(rule, packed)) return;
  const Slot slot = slot_of(pc);
  slot.entry.store(slot.tag | packed, std::memory_order_relaxed);
}

// `fp_from` is where fp was read, as long as nothing depended on it: most frames never look at it.
struct Frame : FrameRegisters {
  static constexpr std::uintptr_t kStart = 1;  // no address: the walk began with it
  std::uintptr_t fp_from = kStart;
  bool outermost = false;  // its table says so: it has no caller
};

void need_fp(Frame& at, StackMemory& memory) {
  if (at.fp_from == Frame::kStart) memory.depend_on_start_fp();
  if (at.fp_from > Frame::kStart) memory.depend_on(at.fp_from, at.fp);
  at.fp_from = 0;
}

[[gnu::always_inline]] inline bool step_packed(std::uint64_t rule, Frame& at, StackMemory& memory) {
  if (__builtin_expect(rule == kOutermost, 0)) {
    at.outermost = true;
    return false;
  }
  const bool by_fp = (rule >> 27 & 1) != 0;
  if (by_fp) need_fp(at, memory);
  const std::uintptr_t cfa = (by_fp ? at.fp : at.sp) + (rule & 0x3fff) * 8;
  if (cfa <= at.sp) return false;  // stacks grow downwards
  if (!memory.read_and_depend(cfa - 8, at.pc)) return false;
  if ((rule >> 26 & 1) != 0) {
    at.fp_from = cfa - (rule >> 14 & 0xfff) * 8;
    if (!memory.read(at.fp_from, at.fp)) return false;
  }
  at.sp = cfa;
  return true;
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
  return memory.read_and_depend(address, out);
}

bool step(const FrameRule& rule, Frame& at, StackMemory& memory) {
  std::uintptr_t cfa = 0;
  need_fp(at, memory);
  at.outermost = rule.end;
  if (rule.end || !find_cfa(rule, at, memory, cfa)) return false;
  Frame caller{{0, cfa, at.fp}, 0};
  if (!read_saved(rule.pc_expression, rule.pc_offset, cfa, at, memory, caller.pc)) return false;
  if (rule.rbp_saved &&
      !read_saved(rule.rbp_expression, rule.rbp_offset, cfa, at, memory, caller.fp)) {
    return false;
  }
  if (rule.sp_expression != nullptr &&
      !read_saved(rule.sp_expression, 0, cfa, at, memory, caller.sp)) {
    return false;
  }
  // Only a signal frame may lead to another stack.
  if (rule.signal_frame) {
    memory.move_to(caller.sp);
  } else if (caller.sp <= at.sp) {
    return false;
  }
  at = caller;
  return true;
}

// Generated code has no tables; most of it keeps frame pointers.
bool step_by_frame_pointer(Frame& at, StackMemory& memory) {
  constexpr std::uintptr_t kLargestFrame = 1 << 20;
  if (at.fp < at.sp || at.fp - at.sp > kLargestFrame) return false;
  Frame caller{{0, at.fp + 16, 0}, 0};
  if (!memory.read(at.fp, caller.fp) || !memory.read(at.fp + 8, caller.pc)) return false;
  at = caller;
  return true;
}

// Ranges of code without tables that keep frame pointers.
class LinkedCode {
 public:
  bool add(const CodeRange& range) {
    for (Entry& entry : entries_) {
      std::uintptr_t none = 0;
      if (entry.begin.load(std::memory_order_acquire) == range.begin) return true;
      if (!entry.begin.compare_exchange_strong(none, range.begin)) continue;
      entry.end.store(range.end, std::memory_order_release);
      return true;
    }
    return false;
  }
  bool holds(std::uintptr_t code) const {
    for (const Entry& entry : entries_) {
      if (code < entry.end.load(std::memory_order_acquire) &&
          code >= entry.begin.load(std::memory_order_relaxed)) {
        return true;
      }
    }
    return false;
  }
  void forget() {
    for (Entry& entry : entries_) {
      entry.end.store(0, std::memory_order_relaxed);
      entry.begin.store(0, std::memory_order_release);
    }
  }

 private:
  struct Entry {
    std::atomic<std::uintptr_t> begin = 0;
    std::atomic<std::uintptr_t> end = 0;
  };
  Entry entries_[4] = {};
};
constinit LinkedCode linked_code;

// What a walk says of itself on the way.
struct WalkNotes {
  bool guessed = false;
  bool exact = false;   // the pc that was reached was interrupted there: a signal frame came before
  bool linked = false;  // the latest frame was crossed by its frame pointer
  bool tableless = false;  // there was no way on from an object's code
};

// Where no packed rule is known. `exact`: the pc of `at` was interrupted there.
[[gnu::noinline]] bool step_slowly(std::uintptr_t code, Frame& at, StackMemory& memory,
                                   RuleSpace& space, WalkNotes& notes) {
  if (!linked_code.holds(code)) {
    FrameRule& rule = space.rule;
    const Lookup found = find_rule(code, rule, space);
    if (found == Lookup::found) {
      remember_rule(code, rule);
      notes.exact = rule.signal_frame;
      return step(rule, at, memory);
    }
    // Hand-written assembly: its frame pointer means nothing.
    notes.tableless = found == Lookup::no_table;
    if (notes.tableless) return false;
  }
  // Generated code belongs to no object. Other code may come there without our notice, and what it
  // runs is told by more than its address.
  memory.forget_words();
  if (!step_by_frame_pointer(at, memory)) return false;
  notes.guessed = notes.linked = true;
  return true;
}

// From a frame to its caller.
[[gnu::always_inline]] inline bool to_caller(Frame& at, StackMemory& memory, RuleSpace& space,
                                             WalkNotes& notes) {
  const std::uintptr_t code = notes.exact ? at.pc : at.pc - 1;
  notes.exact = notes.linked = false;
  const std::uint64_t rule = cached_rule(code);
  if (rule != 0) return step_packed(rule, at, memory);
  return step_slowly(code, at, memory, space, notes);
}

}  // namespace

StackWalk walk_stack(const StackStart& start, std::uintptr_t* pcs, unsigned room,
                     WalkWords* words) {
  RuleSpace space;
  return walk_stack(start, pcs, room, words, space);
}

StackWalk walk_stack(const StackStart& start, std::uintptr_t* pcs, unsigned room, WalkWords* words,
                     RuleSpace& space, LinkedFrames* linked) {
  StackWalk walk;
  Frame at{{start.pc, start.sp, start.fp}};
  StackMemory memory(start.sp, words);
  WalkNotes notes;
  while (at.pc != 0) {
    if (walk.count == room) {
      walk.truncated = true;
      break;
    }
    pcs[walk.count++] = at.pc;
    const std::uintptr_t fp = at.fp;
    if (!to_caller(at, memory, space, notes)) break;
    walk.interrupted = walk.interrupted || notes.exact;
    if (__builtin_expect(notes.linked, 0) && linked != nullptr) linked->add(fp, walk.count - 1);
  }
  walk.guessed = notes.guessed;
  walk.tableless = notes.tableless;
  memory.finish_words();
  return walk;
}

bool is_on_own_stack(const StackStart& start, RuleSpace& space) {
  constexpr unsigned kMostFrames = 1024;
  const StackRange own = own_stack();
  if (!own.holds(start.sp)) return false;
  Frame at{{start.pc, start.sp, start.fp}};
  StackMemory memory(start.sp);
  WalkNotes notes;
  unsigned frames = 0;
  while (at.pc != 0 && ++frames < kMostFrames && to_caller(at, memory, space, notes)) {
  }
  // Between that frame and the end: a thread's static TLS; the first thread's arguments.
  constexpr std::uintptr_t kLargestRest = 1 << 16;
  return at.outermost && !notes.guessed && own.holds(at.sp) && own.end - at.sp <= kLargestRest;
}

bool follow_frame_pointers_in(const CodeRange& range) {
  return range.begin < range.end && linked_code.add(range);
}

void forget_code() {
  linked_code.forget();
  for (auto& entry : cache) entry.store(0, std::memory_order_relaxed);
}

}  // namespace umaskaudit::shim

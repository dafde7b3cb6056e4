// Walks by call frame information, and by frame pointers where there is none; see stack_walk.h.

#include "reporter/tracer/stack_walk.h"

#include <cstring>

namespace umaskaudit::tracer {

using shim::FrameRegisters;
using shim::FrameRule;

void StackCopy::restart(ProcessMemory memory, std::uint64_t sp) {
  if (bytes_ == nullptr) bytes_.reset(new std::uint8_t[kSize]);
  memory_ = memory;
  start_ = sp & ~std::uint64_t{7};
  size_ = memory_.read(start_, bytes_.get(), kSize);
  reads_ = 1;
}

bool StackCopy::read(std::uint64_t address, std::uint64_t& word) {
  if ((address & 7) != 0 || page_of(address) == 0) return false;
  if (address < start_ || address - start_ >= size_) {
    // A short copy ends where the memory does.
    const bool behind_end = address >= start_ && size_ < kSize && address - start_ < kSize;
    if (behind_end || reads_ == kMostReads) return false;
    ++reads_;
    // A deep stack, or another one: callers are above. Words below may be needed again.
    constexpr std::uint64_t kBelow = 4096;
    start_ = address - (address < kBelow ? 0 : kBelow);
    size_ = memory_.read(start_, bytes_.get(), kSize);
    if (size_ <= address - start_) {
      start_ = address;
      size_ = memory_.read(start_, bytes_.get(), kSize);
    }
  }
  if (size_ < sizeof word || address - start_ > size_ - sizeof word) return false;
  memcpy(&word, bytes_.get() + (address - start_), sizeof word);
  return true;
}

namespace {

#if defined(__x86_64__)
constexpr bool kX86 = true;
#else
constexpr bool kX86 = false;
#endif

class Walk {
 public:
  Walk(const WalkParts& parts, ProcessMemory memory, const Registers& registers)
      : parts_(parts), memory_(memory), at_{registers.pc, registers.sp, registers.fp} {}

  RemoteStack run(unsigned depth) {
    while (at_.pc != 0) {
      // The address where the thread is stopped is code in any case.
      if (!result_.pcs.empty() && !parts_.modules.at(code()).executable) break;
      if (result_.pcs.size() == depth) {
        result_.truncated = true;
        break;
      }
      result_.pcs.push_back(at_.pc);
      if (!to_caller()) break;
    }
    return std::move(result_);
  }

 private:
  // An address inside the instruction that made the call, or the system call.
  std::uint64_t code() const { return exact_ ? at_.pc : at_.pc - 1; }
  bool innermost() const { return result_.pcs.size() == 1; }

  bool to_caller() {
    const Code here = parts_.modules.at(code());
    if (here.image != nullptr) {
      const FrameRule* rule = here.image->rule(code() - here.bias);
      if (rule != nullptr) return step(*rule);
      const CodeSite site = site_at(at_.pc);
      if (kX86 && site.signal_return) return step_over_signal();
    }
    exact_ = false;
    result_.guessed = true;
    if (here.image == nullptr) return step_by_frame_pointer(false);
    if (here.image->go()) return step_go();
    return step_without_tables();
  }

  bool read(std::uint64_t address, std::uint64_t& word) { return parts_.stack.read(address, word); }
  CodeSite site_at(std::uint64_t address) {
    return parts_.sites.at(memory_, address, parts_.modules.generation());
  }

  bool find_cfa(const FrameRule& rule, std::uintptr_t& cfa) {
    switch (rule.cfa) {
      case FrameRule::Cfa::rsp:
        cfa = at_.sp + static_cast<std::uint64_t>(std::int64_t{rule.cfa_offset});
        return true;
      case FrameRule::Cfa::rbp:
        cfa = at_.fp + static_cast<std::uint64_t>(std::int64_t{rule.cfa_offset});
        return true;
      case FrameRule::Cfa::expression:
        return shim::evaluate_copied(rule.cfa_expression, at_, nullptr, parts_.stack, cfa);
      case FrameRule::Cfa::none:
        break;
    }
    return false;
  }

  bool read_saved(const std::uint8_t* expression, std::int32_t offset, std::uintptr_t cfa,
                  std::uint64_t& word) {
    std::uintptr_t address = cfa + static_cast<std::uint64_t>(std::int64_t{offset});
    if (expression != nullptr &&
        !shim::evaluate_copied(expression, at_, &cfa, parts_.stack, address)) {
      return false;
    }
    return read(address, word);
  }

  bool step(const FrameRule& rule) {
    std::uintptr_t cfa = 0;
    if (rule.end || !find_cfa(rule, cfa)) return false;
    FrameRegisters caller{0, cfa, at_.fp};
    if (!read_saved(rule.pc_expression, rule.pc_offset, cfa, caller.pc)) return false;
    if (rule.rbp_saved && !read_saved(rule.rbp_expression, rule.rbp_offset, cfa, caller.fp)) {
      return false;
    }
    if (rule.sp_expression != nullptr && !read_saved(rule.sp_expression, 0, cfa, caller.sp)) {
      return false;
    }
    // Only a signal frame may lead to another stack.
    if (rule.signal_frame ? !may_leave_stack() : caller.sp <= at_.sp) return false;
    exact_ = rule.signal_frame;
    at_ = caller;
    return true;
  }

  // The frame that the kernel pushed for a handler (setup_rt_frame()): a ucontext_t, whose
  // registers follow its first 40 bytes in the order of <sys/ucontext.h>.
  bool step_over_signal() {
    constexpr std::uint64_t kRegisters = 40;
    constexpr std::uint64_t kRbp = 10;
    constexpr std::uint64_t kRsp = 15;
    constexpr std::uint64_t kRip = 16;
    const std::uint64_t saved = at_.sp + kRegisters;
    FrameRegisters caller{};
    if (!may_leave_stack() || !read(saved + kRbp * 8, caller.fp) ||
        !read(saved + kRsp * 8, caller.sp) || !read(saved + kRip * 8, caller.pc)) {
      return false;
    }
    exact_ = true;
    at_ = caller;
    return true;
  }

  // The frame may be one where the walk gets back to code with tables.
  bool may_leave_stack() {
    constexpr unsigned kMostStacks = 8;
    return ++stacks_ <= kMostStacks;
  }

  bool step_by_frame_pointer(bool only_behind_calls) {
    constexpr std::uint64_t kLargestFrame = 1 << 20;
    if (at_.fp < at_.sp || at_.fp - at_.sp > kLargestFrame) return false;
    FrameRegisters caller{0, at_.fp + 16, 0};
    if (!read(at_.fp, caller.fp) || !read(at_.fp + 8, caller.pc)) return false;
    if (only_behind_calls && !is_return_address(caller.pc)) return false;
    at_ = caller;
    return true;
  }

  CodeSite site_of_word(std::uint64_t word) {
    return parts_.modules.known(word - 1).image != nullptr ? site_at(word) : CodeSite();
  }
  bool is_return_address(std::uint64_t word) { return site_of_word(word).behind_call; }

  // Code without tables (musl's library, busybox) has no frame pointers: rbp is some caller's.
  // Among the words of the frame, the return address is the one after a call of the function that
  // the code is in: among those after a direct call, the one whose target is nearest before the
  // code.
  bool find_direct_call(const FrameRegisters& from, std::uint64_t end, FrameRegisters& caller) {
    std::uint64_t nearest = kLargestFunction;
    for (std::uint64_t i = 0; i < kMostBytes && i < end - from.sp; i += sizeof i) {
      std::uint64_t word = 0;
      if (!read(from.sp + i, word)) break;
      const CodeSite site = site_of_word(word);
      // The caller of a signal handler made no call; it is accepted if it comes first.
      const bool handler = site.signal_return && nearest == kLargestFunction;
      if (!site.behind_call && !handler) continue;
      const std::uint64_t distance = handler ? 0 : from.pc - 1 - site.target;
      if (distance >= nearest) continue;
      nearest = distance;
      caller = {word, from.sp + i + sizeof word, from.fp};
    }
    return nearest != kLargestFunction;
  }

  // Among words after an indirect call, the first from which the walk can continue.
  bool find_call_by_pointer(std::uint64_t end, FrameRegisters& caller) {
    for (std::uint64_t i = 0; i < kMostBytes && i < end - at_.sp; i += sizeof i) {
      std::uint64_t word = 0;
      if (!read(at_.sp + i, word)) break;
      if (!is_return_address(word) || site_at(word).target != 0) continue;
      const FrameRegisters found{word, at_.sp + i + sizeof word, at_.fp};
      if (!leads_on(found)) continue;
      caller = found;
      return true;
    }
    return false;
  }

  bool leads_on(const FrameRegisters& from) {
    const Code code = parts_.modules.known(from.pc - 1);
    const FrameRule* rule = code.image->rule(from.pc - 1 - code.bias);
    FrameRegisters caller{};
    if (rule == nullptr) return find_direct_call(from, UINT64_MAX, caller);
    if (rule->end) return true;
    const std::uint64_t cfa = from.sp + static_cast<std::uint64_t>(std::int64_t{rule->cfa_offset});
    return rule->cfa == FrameRule::Cfa::rsp && read(cfa - 8, caller.pc) &&
           is_return_address(caller.pc);
  }

  // A direct call from which the walk cannot continue may call another function before this one, as
  // in _start().
  bool step_by_calls(std::uint64_t end) {
    FrameRegisters caller{};
    if (!kX86) return false;
    const std::uint64_t size = parts_.sites.frame_size(at_.pc);
    if (end == UINT64_MAX && size != 0 && read(at_.sp + size - 8, caller.pc)) {
      const CodeSite site = site_of_word(caller.pc);
      if (site.behind_call && (site.target == 0 || code() - site.target < kLargestFunction)) {
        at_ = {caller.pc, at_.sp + size, at_.fp};
        return true;
      }
    }
    const bool direct = find_direct_call(at_, end, caller);
    if (!direct && end != UINT64_MAX) return false;
    if (end == UINT64_MAX && (!direct || !leads_on(caller))) {
      const bool by_pointer = find_call_by_pointer(direct ? caller.sp : end, caller);
      if (!direct && !by_pointer) return false;
    }
    parts_.sites.keep_frame_size(at_.pc, caller.sp - at_.sp);
    at_ = caller;
    return true;
  }

  // If no frame pointer leads to a return address, the size of the frame is unknown.
  bool step_without_tables() {
    const FrameRegisters here = at_;
    if (!step_by_frame_pointer(true)) return step_by_calls(UINT64_MAX);
    const FrameRegisters linked = at_;
    at_ = here;
    if (!step_by_calls(linked.sp) || at_.sp == linked.sp) at_ = linked;
    return true;
  }

  // Go has frame pointers (since 1.7), except in assembly functions without a frame, which make the
  // system calls. Code on the system stack was called from a goroutine's stack.
  bool step_go() {
    FrameRegisters caller{0, at_.sp + 8, at_.fp};
    if (kX86 && innermost() && read(at_.sp, caller.pc) && is_return_address(caller.pc)) {
      at_ = caller;
      return true;
    }
    if (at_.fp < at_.sp && !may_leave_stack()) return false;
    caller.sp = at_.fp + 16;
    if (!read(at_.fp, caller.fp) || !read(at_.fp + 8, caller.pc)) return false;
    at_ = caller;
    return true;
  }

  static constexpr std::uint64_t kMostBytes = 2048;  // of a frame without a table
  static constexpr std::uint64_t kLargestFunction = 8192;

  const WalkParts& parts_;
  ProcessMemory memory_;
  FrameRegisters at_;
  RemoteStack result_;
  bool exact_ = false;  // the pc was interrupted here, and is no return address
  unsigned stacks_ = 0;
};

}  // namespace

RemoteStack walk_remote(const WalkParts& parts, ProcessMemory memory, const Registers& registers,
                        unsigned depth) {
  parts.stack.restart(memory, registers.sp);
  return Walk(parts, memory, registers).run(depth);
}

}  // namespace umaskaudit::tracer

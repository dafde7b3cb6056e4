// Walks, interns and records stacks; see stacks.h.

#include "preload/stack/stacks.h"

#include <new>

#include "preload/record/intern.h"
#include "preload/record/shared_ids.h"
#include "preload/script/script.h"
#include "preload/stack/modules.h"
#include "preload/stack/walk_cache.h"
#include "preload/sys/own_stack.h"
#include "preload/unwind/cfi.h"

namespace umaskaudit::shim {

namespace {

// Two tables: by the frames as recorded, which dlclose(3) does not change; and by their addresses,
// which may name other code after dlclose(3), so `generation` is part of the key.
constinit InternTable stacks;
constinit RecentIds recent;
constinit std::atomic<std::uint32_t> generation = 0;

bool wanted(Stacks option, Event event) {
  switch (option) {
    case Stacks::all:
      return true;
    case Stacks::changes:
      return event == Event::mask_change;
    case Stacks::none:
      break;
  }
  return false;
}

// The value that the tables and the walk cache keep for a native stack: its id, and how its script
// frames are read. 0: none. A segment has no room for as many stacks as 28 bits can number.
class StackWord {
 public:
  StackWord() = default;
  explicit StackWord(std::uint32_t word) : word_(word) {}
  StackWord(std::uint32_t id, RuntimeNumber runtime, bool interrupted)
      : word_(id | std::uint32_t{runtime} << kIdBits |
              std::uint32_t{interrupted} << kInterruptedBit) {}

  std::uint32_t word() const { return word_; }
  std::uint32_t id() const { return word_ & (kMostIds - 1); }
  RuntimeNumber runtime() const {
    return static_cast<RuntimeNumber>(word_ >> kIdBits & kMostRuntimes);
  }
  bool interrupted() const { return word_ >> kInterruptedBit != 0; }

 private:
  static constexpr unsigned kIdBits = 28;
  static constexpr unsigned kInterruptedBit = 31;
  static constexpr std::uint32_t kMostIds = std::uint32_t{1} << kIdBits;
  static_assert(kMostRuntimes == (1u << (kInterruptedBit - kIdBits)) - 1);

  std::uint32_t word_ = 0;
};

// The buffers of a walk and of the record of its stack: too large for a small stack.
struct WalkSpace {
  std::uintptr_t pcs[kMaxDepth];
  WalkWords words;
  LinkedFrames linked;
  ScriptQuestion question;
  RuleSpace rules;  // after the walk: the frames of the record
};
static_assert(sizeof(WalkSpace) <= Scratch::kSize);
static_assert(sizeof(RuleSpace::bytes) >= kMaxDepth * sizeof(std::uint64_t));

std::uint32_t write_stack(const Author& author, const StackWalk& walk,
                          const std::uint64_t* frames) {
  trace::Stack record{};
  record.id = next_id(trace::IdSpace::stack);
  record.count = static_cast<std::uint16_t>(walk.count);
  if (walk.truncated) record.flags |= trace::kStackTruncated;
  if (walk.guessed) record.flags |= trace::kStackGuessed;
  const auto size = static_cast<std::uint32_t>(walk.count * sizeof frames[0]);
  if (!write_record(trace::RecordType::stack, author, record, {frames, size})) {
    count_loss(trace::Loss::stack_dropped);
    return 0;
  }
  return record.id;
}

// Four independent chains instead of one, because each step of a chain waits for the one before.
template <typename Word>
std::uint64_t hash_of(const Word* words, unsigned count, std::uint64_t seed) {
  std::uint64_t chains[4] = {seed + 1, 2, 3, 4};
  unsigned i = 0;
  for (; i + 4 <= count; i += 4) {
    for (unsigned chain = 0; chain < 4; ++chain) {
      chains[chain] = mix(chains[chain], words[i + chain]);
    }
  }
  for (; i < count; ++i) chains[0] = mix(chains[0], words[i]);
  const std::uint64_t hash = mix(mix(chains[0], chains[1]), mix(chains[2], chains[3]));
  return mix(hash, count) | 1;
}

// A frame whose module could not be written, or has no id left, is recorded as a bare address.
[[gnu::noinline]] StackWord intern_frames(const Author& author, const StackWalk& walk,
                                          WalkSpace& space) {
  auto* const frames = new (space.rules.bytes) std::uint64_t[kMaxDepth];
  bool whole = true;
  Shown shown;
  for (unsigned i = 0; i < walk.count; ++i) {
    const Frame frame = encode_frame(author, space.pcs[i]);
    frames[i] = frame.word;
    whole = whole && frame.named;
    const auto module = static_cast<std::uint32_t>(frame.word >> trace::kFrameModuleShift);
    if (shown.runs != 0 || !frame.named) continue;
    const Shown here = runtime_of_frame(module, space.pcs[i]);
    shown = {here.runs, shown.near != 0 ? shown.near : here.near};
  }
  if (!whole) count_loss(trace::Loss::stack_dropped);
  const std::uint64_t hash = hash_of(frames, walk.count, walk.interrupted ? 1 : 0);
  const StackWord known(stacks.find(hash));
  if (known.id() != 0) return known;
  std::uint32_t id = whole ? find_shared_id(trace::IdSpace::stack, hash) : 0;
  if (id == 0) {
    id = write_stack(author, walk, frames);
    if (id != 0 && whole) share_id(trace::IdSpace::stack, hash, id);
  }
  // The frame of the interpreter may be among those that were cut.
  const RuntimeNumber runtime = shown.runs == 0 && walk.truncated ? shown.near : shown.runs;
  const StackWord stack(id, runtime, runtime != 0 && walk.interrupted);
  if (id != 0 && whole) stacks.insert(hash, stack.word());
  return stack;
}

StackWord intern_stack(const Author& author, const StackWalk& walk, WalkSpace& space) {
  const std::uint64_t hash =
      hash_of(space.pcs, walk.count, generation.load(std::memory_order_relaxed));
  StackWord stack(recent.find(hash));
  if (stack.word() != 0) return stack;
  stack = intern_frames(author, walk, space);
  if (stack.word() != 0) recent.insert(hash, stack.word());
  return stack;
}

bool has_room(std::uintptr_t sp, std::uintptr_t room) {
  const StackRange own = own_stack();
  return own.holds(sp) && sp - own.begin >= room;
}

ScriptQuestion question_about(StackWord stack, const StackStart& start,
                              const LinkedFrames* linked) {
  return {stack.runtime(), stack.interrupted(), has_room(start.sp, kRoomForScript), linked};
}

// True: a walk by other means would get further than this one.
bool ended_at_linked_code(const Author& author, const StackWalk& walk, const WalkSpace& space) {
  if (__builtin_expect(!walk.tableless, 1) || walk.count == 0) return false;
  const std::uintptr_t pc = space.pcs[walk.count - 1];
  const std::uint64_t word = encode_frame(author, pc).word;
  return find_linked_code(author, static_cast<std::uint32_t>(word >> trace::kFrameModuleShift), pc);
}

[[gnu::always_inline]] inline void walk_and_intern(const Author& author, const StackStart& start,
                                                   bool scripts, CapturedStack& out,
                                                   WalkSpace& space) {
  const auto depth = static_cast<unsigned>(process.options.depth);
  const std::uint32_t now = generation.load(std::memory_order_relaxed);
  constexpr unsigned kMostWalks = 3;
  for (unsigned walks = 0; walks < kMostWalks; ++walks) {
    space.linked.restart(space.pcs);
    space.words.restart();
    out.walk = walk_stack(start, space.pcs, depth, &space.words, space.rules, &space.linked);
    if (out.walk.count == 0) return;
    if (!ended_at_linked_code(author, out.walk, space)) break;
  }
  const StackWord stack = intern_stack(author, out.walk, space);
  out.id = stack.id();
  if (stack.word() != 0 && !process.log) {
    cache_stack(start, now, space.words, stack.word(), space.rules);
  }
  if (stack.runtime() == 0 || !scripts) return;
  space.question = question_about(stack, start, &space.linked);
  if (process.trace) out.id = add_script(author, out.id, space.question);
}

// For callers with enough stack: a Scratch buffer costs two atomic operations on a word that all
// threads share.
constexpr std::uintptr_t kRoomForWalk = 16384;
[[gnu::noinline]] void walk_here(const Author& author, const StackStart& start, bool scripts,
                                 CapturedStack& out) {
  WalkSpace space;
  walk_and_intern(author, start, scripts, out, space);
}

[[gnu::noinline]] void walk_apart(const Author& author, const StackStart& start, bool scripts,
                                  CapturedStack& out) {
  if (is_short_of_stack(start.sp) || out.memory.get() == nullptr)
    return count_loss(trace::Loss::stack_dropped);
  auto& space = *new (out.memory.get()) WalkSpace;
  space.question.runtime = 0;
  walk_and_intern(author, start, scripts, out, space);
  out.pcs = space.pcs;
  if (space.question.runtime != 0) out.script = &space.question;
}

// A stack whose walk is cached, and in which a language runtime was found.
[[gnu::noinline]] void add_script_to(const Author& author, StackWord stack, const StackStart& start,
                                     CapturedStack& out) {
  const ScriptQuestion question = question_about(stack, start, nullptr);
  if (process.trace) out.id = add_script(author, out.id, question);
}

}  // namespace

void capture_stack(Event event, const Author& author, const StackStart& start, CapturedStack& out) {
  if (!wanted(process.options.stacks, event)) return;
  const bool scripts = wanted(process.options.scripts, event);
  if (!process.log) {
    const StackWord known(cached_stack(start, generation.load(std::memory_order_relaxed)));
    out.id = known.id();
    if (known.word() != 0) {
      if (__builtin_expect(known.runtime() != 0, 0) && scripts) {
        add_script_to(author, known, start, out);
      }
      return;
    }
  }
  if (!process.log && has_room(start.sp, kRoomForWalk)) {
    return walk_here(author, start, scripts, out);
  }
  walk_apart(author, start, scripts, out);
}

void forget_stacks() {
  generation.fetch_add(1, std::memory_order_relaxed);
  forget_modules();
  forget_code();
}

}  // namespace umaskaudit::shim

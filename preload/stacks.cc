// Walks, interns and records stacks; see stacks.h.

#include "preload/stacks.h"

#include "preload/intern.h"
#include "preload/modules.h"
#include "preload/stack_memo.h"

namespace umaskaudit::shim {

namespace {

constinit InternTable stacks;
constinit std::atomic<std::uint32_t> generation = 0;

bool wanted(Event event) {
  switch (process.options.stacks) {
    case Stacks::all:
      return true;
    case Stacks::changes:
      return event == Event::mask_change;
    case Stacks::none:
      break;
  }
  return false;
}

std::uint32_t write_stack(const Author& author, const CapturedStack& stack) {
  std::uint64_t frames[kMaxDepth];
  for (unsigned i = 0; i < stack.walk.count; ++i) frames[i] = encode_frame(author, stack.pcs[i]);
  trace::Stack record{};
  record.id = next_id(trace::IdSpace::stack);
  record.count = static_cast<std::uint16_t>(stack.walk.count);
  if (stack.walk.truncated) record.flags |= trace::kStackTruncated;
  if (stack.walk.guessed) record.flags |= trace::kStackGuessed;
  const auto size = static_cast<std::uint32_t>(stack.walk.count * sizeof frames[0]);
  if (!write_record(trace::RecordType::stack, author, record, {frames, size})) {
    count_loss(trace::Loss::stack_dropped);
    return 0;
  }
  return record.id;
}

// Four chains instead of one: each step of a chain waits for the one before.
std::uint64_t hash_of(const CapturedStack& stack) {
  std::uint64_t chains[4] = {generation.load(std::memory_order_relaxed) + 1, 2, 3, 4};
  unsigned i = 0;
  for (; i + 4 <= stack.walk.count; i += 4) {
    for (unsigned chain = 0; chain < 4; ++chain) {
      chains[chain] = mix(chains[chain], stack.pcs[i + chain]);
    }
  }
  for (; i < stack.walk.count; ++i) chains[0] = mix(chains[0], stack.pcs[i]);
  const std::uint64_t hash = mix(mix(chains[0], chains[1]), mix(chains[2], chains[3]));
  return mix(hash, stack.walk.count) | 1;
}

std::uint32_t intern_stack(const Author& author, const CapturedStack& stack) {
  const std::uint64_t hash = hash_of(stack);
  std::uint32_t id = stacks.find(hash);
  if (id != 0) return id;
  id = write_stack(author, stack);
  if (id != 0) stacks.insert(hash, id);
  return id;
}

// Apart, for its frame is large.
[[gnu::noinline]] void walk_and_intern(const Author& author, const StackStart& start,
                                       std::uint32_t now, CapturedStack& out) {
  const auto depth = static_cast<unsigned>(process.options.depth);
  if (process.log) {  // wants the frames themselves
    out.walk = walk_stack(start, out.pcs, depth);
    if (process.trace && out.walk.count != 0) out.id = intern_stack(author, out);
    return;
  }
  WalkWords words;
  out.walk = walk_stack(start, out.pcs, depth, &words);
  if (out.walk.count == 0) return;
  out.id = intern_stack(author, out);
  if (out.id != 0) remember_stack(start, now, words, out.id);
}

}  // namespace

void capture_stack(Event event, const Author& author, const StackStart& start, CapturedStack& out) {
  if (!wanted(event)) return;
  const std::uint32_t now = generation.load(std::memory_order_relaxed);
  if (!process.log) out.id = remembered_stack(start, now);
  if (out.id == 0) walk_and_intern(author, start, now, out);
}

void forget_stacks() {
  generation.fetch_add(1, std::memory_order_relaxed);
  forget_modules();
  forget_code();
}

}  // namespace umaskaudit::shim

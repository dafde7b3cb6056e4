// The timeline's judgement: was this object hit, and by whom?
// Must never call an object hit whose mode is what its thread could expect, however the masks
// moved. The other half of timeline.cc.
#include <algorithm>
#include <utility>

#include "reporter/rules/timeline.h"

namespace umaskaudit::rules {
namespace {

constexpr Mode kPermissionBits = 07777;
// Creations that wait for a change that may never be seen.
constexpr std::size_t kMostWaiting = 4096;

bool is_ambiguous(const CreateEvent& event) {
  return event.change_before != event.change_after || !event.ambiguous_masks.empty();
}

bool is_candidate(const CreateEvent& event, Mode mask) {
  const std::vector<Mode>& masks = event.ambiguous_masks;
  return mask == event.mask || std::find(masks.begin(), masks.end(), mask) != masks.end();
}

}  // namespace

std::optional<Mode> Timeline::own_mask(const Context& context, std::uint32_t tid) {
  const auto thread = context.threads.find(tid);
  if (thread == context.threads.end() || thread->second.windows.empty()) return std::nullopt;
  return thread->second.windows.back()->open.new_mask;
}

std::optional<Mode> Timeline::heritage(std::uint32_t fs, std::uint32_t tid) const {
  const auto found = contexts_.find(fs);
  if (found == contexts_.end() || found->second.history.empty()) return std::nullopt;
  const Context& context = found->second;
  if (const std::optional<Mode> own = own_mask(context, tid)) return own;
  const Snapshot& now = context.history.back();
  return now.origin_open && lives_inside(context, tid, *now.origin) ? now.mask : now.permanent;
}

bool Timeline::started_inside(const Context& context, std::uint32_t tid, const MaskWindow& window) {
  // A creator is older than what it creates, so this ends; threads of a run that lies about that
  // end it here.
  std::uint64_t younger = UINT64_MAX;
  for (auto thread = context.threads.find(tid); thread != context.threads.end();
       thread = context.threads.find(thread->second.creator)) {
    const std::uint64_t birth = thread->second.birth_seq;
    if (birth <= window.open.seq || birth >= younger) return false;
    if (thread->second.creator == window.open.tid) return true;
    younger = birth;
  }
  return false;
}

bool Timeline::lives_inside(const Context& context, std::uint32_t tid,
                            const MaskWindow& window) const {
  return started_inside(context, tid, window) &&
         !intents_.outlive.contains(context.threads.at(tid).birth_seq);
}

WindowPtr Timeline::window_of(std::uint32_t fs, std::uint32_t tid, Mode mask) const {
  const auto found = contexts_.find(fs);
  return found == contexts_.end() ? nullptr : found->second.last_setters.other_than(tid, mask);
}

std::uint64_t Timeline::last_candidate(const Context& context, const CreateEvent& event) {
  const Snapshot& now = context.history.back();
  // A umask call that was under way when the mask was looked up is not counted yet, but may have
  // taken effect: its mask shows in the record, or in the object.
  const bool unfinished = now.change == event.change_after && now.mask != event.mask;
  return event.change_after + (unfinished || !event.ambiguous_masks.empty() ? 1 : 0);
}

void Timeline::on_create(const CreateEvent& event) {
  const std::uint32_t actor = spawn_parents_.actor(event);
  act(event.fs, actor);
  Context& c = context(event, actor, event.mask, event.change_before);
  if (event.mask_setter_dropped) cut(c, event.mask, event.change_before);
  const std::optional<Mode> own = own_mask(c, actor);
  if (last_candidate(c, event) <= c.history.back().change) {
    sink_.on_create(event, judge(c, event, actor, own));
    return;
  }
  c.waiting.push_back({event, actor, own});
  if (c.waiting.size() > kMostWaiting) deliver(c, true);
}

void Timeline::deliver(Context& context, bool all) {
  std::vector<Waiting> still;
  for (Waiting& waiting : context.waiting) {
    if (all || last_candidate(context, waiting.event) <= context.history.back().change)
      sink_.on_create(waiting.event,
                      judge(context, waiting.event, waiting.actor, waiting.own_mask));
    else
      still.push_back(std::move(waiting));
  }
  context.waiting = std::move(still);
}

Verdict Timeline::judge(const Context& context, const CreateEvent& event, std::uint32_t actor,
                        std::optional<Mode> own_mask) const {
  Verdict verdict;
  verdict.mode = event.final_mode.value_or(0) & kPermissionBits;
  if (event.error != 0 || event.created == trace::Created::no) {
    verdict.kind = Verdict::Kind::no_object;
    return verdict;
  }
  const auto& history = context.history;
  const auto after = std::upper_bound(
      history.begin(), history.end(), event.change_before,
      [](std::uint64_t change, const Snapshot& state) { return change < state.change; });
  // A call that began very long ago: of the masks it may have met, the latest are left.
  const bool forgotten = after == history.begin();
  auto state = forgotten ? after : std::prev(after);
  verdict.expected_mask = own_mask.value_or(state->permanent);
  verdict.ambiguous = is_ambiguous(event);
  if (!verdict.ambiguous && event.mask == verdict.expected_mask && event.final_mode) {
    verdict.expected = verdict.mode;
    return verdict;
  }
  const CreationFacts facts = facts_of(event);
  verdict.expected = predicted_mode(facts, verdict.expected_mask);
  if (!event.final_mode && !verdict.ambiguous) verdict.mode = predicted_mode(facts, event.mask);
  if (verdict.mode == verdict.expected) return verdict;
  verdict.kind = Verdict::Kind::unresolved;
  const bool known = event.created != trace::Created::unknown;
  if (!known || (verdict.ambiguous ? !event.final_mode : forgotten)) return verdict;
  // One more than was counted: is_candidate() turns it down where it had no part.
  for (; state != history.end() && state->change <= event.change_after + 1; ++state) {
    if (!is_candidate(event, state->mask)) continue;
    if (predicted_mode(facts, state->mask) != verdict.mode) continue;
    blame(context, actor, *state, verdict);
    if (verdict.hit()) break;
  }
  return verdict;
}

void Timeline::blame(const Context& context, std::uint32_t actor, const Snapshot& state,
                     Verdict& verdict) const {
  const auto foreign = [&](const WindowPtr& window) { return window && window->open.tid != actor; };
  if (state.lost && !state.origin_open) {
    verdict.kind = Verdict::Kind::lost;
    verdict.lost = state.lost;
    verdict.window = state.lost->restored;
  } else if (foreign(state.origin)) {
    verdict.kind = state.origin->leaked ? Verdict::Kind::leaked : Verdict::Kind::overlap;
    verdict.window = state.origin;
  } else if (state.origin && state.origin->leaked) {
    verdict.kind = Verdict::Kind::clean;  // its own doing
  } else if (foreign(state.by)) {
    verdict.kind = Verdict::Kind::clobbered;
    verdict.window = state.by;
  }
  if (!verdict.window) return;
  if (verdict.kind == Verdict::Kind::overlap && lives_inside(context, actor, *verdict.window)) {
    verdict.kind = Verdict::Kind::clean;
    verdict.window = nullptr;
    verdict.expected = verdict.mode;
    return;
  }
  verdict.born_inside = started_inside(context, actor, *verdict.window);
}

}  // namespace umaskaudit::rules

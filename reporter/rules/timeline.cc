// The timeline's changes: windows open, close, leak, or turn out to be no windows.
// Must never keep more changes of a context than creations look back at, nor more than kHistory.
// verdict.cc holds the other half.
#include "reporter/rules/timeline.h"

#include <utility>

namespace umaskaudit::rules {
namespace {

// A creation looks back to the change before its call. One that blocked (open of a FIFO, or a
// thread that lost its processor) may have met more changes than this; the latest ones stand for
// all.
constexpr std::size_t kHistory = std::size_t{1} << 16;

}  // namespace

void Timeline::feed(const Event& event) {
  spawn_parents_.see(event);
  if (const auto* umask = std::get_if<UmaskEvent>(&event)) return on_umask(*umask);
  if (const auto* create = std::get_if<CreateEvent>(&event)) return on_create(*create);
  if (const auto* thread = std::get_if<ThreadCreateEvent>(&event)) return on_thread(*thread);
  if (const auto* process = std::get_if<ProcessEvent>(&event)) return on_process(*process);
  if (std::holds_alternative<ChmodEvent>(event) || std::holds_alternative<RenameEvent>(event) ||
      std::holds_alternative<ForkEvent>(event) || std::holds_alternative<ExecEvent>(event))
    std::visit([this](const EventBase& base) { act(base.fs, base.tid); }, event);
}

Timeline::Context& Timeline::context(const EventBase& event, std::uint32_t actor, Mode mask,
                                     std::uint64_t change) {
  thread_contexts_.see(event);
  Context& context = contexts_[event.fs];
  if (context.history.empty()) {
    Snapshot first;
    first.change = change;
    first.mask = first.permanent = mask;
    context.history.push_back(std::move(first));
    context.history_depth = intents_.history_depth.of(event.fs);
  }
  if (context.first_tid == 0) context.first_tid = actor;
  context.threaded |= context.first_tid != actor;
  return context;
}

void Timeline::act(std::uint32_t fs, std::uint32_t tid) {
  const auto found = contexts_.find(fs);
  if (found == contexts_.end()) return;
  const auto thread = found->second.threads.find(tid);
  if (thread != found->second.threads.end() && !thread->second.windows.empty())
    ++thread->second.windows.back()->own_actions;
}

void Timeline::on_umask(const UmaskEvent& event) {
  Context& c = context(event, event.tid, event.old_mask, event.change > 0 ? event.change - 1 : 0);
  const LostPtr lost_before = event.old_setter_dropped ? c.history.back().lost : nullptr;
  if (event.old_setter_dropped) cut(c, event.old_mask, event.change - 1);
  Snapshot next = c.history.back();
  if (next.mask != event.old_mask) {
    // An unseen call changed the mask. No recorded call is its origin; outside of windows it is
    // the context's permanent mask from now on.
    next.mask = event.old_mask;
    next.origin = nullptr;
    next.origin_open = false;
    if (c.open_windows == 0) next.permanent = event.old_mask;
  }
  Thread& thread = c.threads[event.tid];
  thread.pid = event.pid;

  Change change;
  const auto intent = intents_.calls.find(event.id);
  if (intent != intents_.calls.end() && intent->second == MaskIntent::permanent) {
    change = settle(c, event, next);
  } else if (intent != intents_.calls.end()) {
    change = open(c, event, true, next);
  } else {
    const Match found = match(thread.calls, event);
    if (found.abandons) close_from(c, thread, *found.abandons, event);
    change = found.undoes ? restore(c, event, *found.undoes, next) : open(c, event, false, next);
  }
  change.threaded = c.threaded;
  if (lost_before) change.lost_ended = lost_before;
  // Numbers of another image that shares the context, or none at all: the order of arrival is left.
  if (event.change > next.change) next.change = event.change;
  next.mask = event.new_mask;
  next.by = change.window;
  remember(c, std::move(next));
  sink_.on_change(event, change);
  if (!c.waiting.empty()) deliver(c, false);
  if (c.waiting.empty()) forget(c);
}

void Timeline::cut(Context& context, Mode mask, std::uint64_t change) {
  deliver(context, true);
  for (auto& [tid, thread] : context.threads) {
    thread.windows.clear();
    thread.calls.clear();
  }
  context.open_windows = 0;
  context.last_setters.clear();
  context.last_permanent = nullptr;
  Snapshot now;
  now.change = change;
  now.mask = now.permanent = mask;
  context.history.clear();
  context.history.push_back(std::move(now));
}

void Timeline::remember(Context& context, Snapshot next) {
  if (next.origin_open && !next.origin->leaked)
    context.last_setters.set(next.mask, next.origin->open.tid, next.origin);
  context.history.push_back(std::move(next));
  if (context.history.size() > kHistory) context.history.pop_front();
}

// What no creation to come looks back at: the state before its call is the oldest it asks for.
void Timeline::forget(Context& context) {
  std::deque<Snapshot>& history = context.history;
  const std::uint64_t now = history.back().change;
  while (history.size() > 1 && now - history[1].change >= context.history_depth)
    history.pop_front();
}

Change Timeline::open(Context& context, const UmaskEvent& event, bool leaks, Snapshot& next) {
  Change change;
  change.role = leaks ? Change::Role::leaks : Change::Role::opens;
  change.window = std::make_shared<MaskWindow>();
  MaskWindow& window = *change.window;
  window.open = event;
  window.leaked = leaks;
  window.saved_origin = next.origin;
  window.idle = event.new_mask == next.mask && !next.origin;
  // A call that sets the mask in force is no origin: that stays the call that set it before.
  if (event.new_mask != next.mask) {
    next.origin = change.window;
    next.origin_open = true;
  }
  if (leaks) return change;
  Thread& thread = context.threads[event.tid];
  for (const WindowPtr& outer : thread.windows) outer->nested = true;
  thread.windows.push_back(change.window);
  thread.calls.push_back({event.id, site_of(event), event.old_mask, event.new_mask, false, false});
  ++context.open_windows;
  return change;
}

Change Timeline::settle(Context& context, const UmaskEvent& event, Snapshot& next) {
  Change change;
  change.role = Change::Role::settles;
  change.window = std::make_shared<MaskWindow>();
  change.window->open = event;
  change.window->permanent = true;
  close_from(context, context.threads[event.tid], 0, event);
  context.last_permanent = change.window;
  if (next.lost) next.lost->end_ns = event.time_ns;
  change.lost_ended = std::exchange(next.lost, nullptr);
  next.permanent = event.new_mask;
  next.origin = nullptr;
  next.origin_open = false;
  return change;
}

Change Timeline::restore(Context& context, const UmaskEvent& event, std::size_t index,
                         Snapshot& next) {
  Thread& thread = context.threads[event.tid];
  Change change;
  change.role = Change::Role::restores;
  change.window = thread.windows[index];
  next.origin = std::move(change.window->saved_origin);
  close_from(context, thread, index, event);
  if (event.new_mask == next.permanent) {
    next.origin = nullptr;
    if (next.lost) next.lost->end_ns = event.time_ns;
    change.lost_ended = std::exchange(next.lost, nullptr);
  }
  next.origin_open = next.origin && !next.origin->closed;
  if (event.new_mask != next.permanent && !next.origin_open && !next.lost) {
    next.lost = std::make_shared<Lost>();
    next.lost->origin = next.origin;
    next.lost->restored = change.window;
    next.lost->permanent = context.last_permanent;
    next.lost->expected = next.permanent;
    next.lost->stayed = event.new_mask;
    change.lost_begun = next.lost;
  }
  return change;
}

void Timeline::close_from(Context& context, Thread& thread, std::size_t index,
                          const UmaskEvent& event) {
  for (std::size_t i = index; i < thread.windows.size(); ++i) {
    MaskWindow& window = *thread.windows[i];
    window.close = event;
    window.closed = true;
    window.saved_origin = nullptr;  // chains of windows stay as short as the nesting
    --context.open_windows;
    sink_.on_closed(window);
  }
  thread.windows.resize(index);
  thread.calls.resize(index);
}

void Timeline::on_thread(const ThreadCreateEvent& event) {
  const std::uint32_t fs = thread_contexts_.of(event);
  act(fs, event.tid);
  Context& c = contexts_[fs];
  c.threaded = true;
  if (event.created_tid == 0) return;
  Thread fresh;
  fresh.pid = event.pid;
  fresh.creator = event.tid;
  fresh.birth_seq = event.seq;
  c.threads[event.created_tid] = std::move(fresh);
}

void Timeline::on_process(const ProcessEvent& event) {
  Context& c = context(event, event.tid, event.mask, 0);
  deliver(c, true);
  // After exec(2) the mask at birth is a fact, and the threads of the old image are gone.
  for (auto thread = c.threads.begin(); thread != c.threads.end();) {
    if (thread->second.pid == event.pid) {
      c.open_windows -= thread->second.windows.size();
      thread = c.threads.erase(thread);
    } else {
      ++thread;
    }
  }
  Snapshot birth;
  birth.mask = birth.permanent = event.mask;
  c.history.clear();
  c.history.push_back(std::move(birth));
  c.last_setters.clear();
  c.threaded = false;
  c.first_tid = event.tid;
}

void Timeline::finish() {
  for (auto& [fs, context] : contexts_) deliver(context, true);
}

}  // namespace umaskaudit::rules

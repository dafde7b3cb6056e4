// Timeline: for each fs context, which mask was in force, which window set it, and which mask a
// thread could expect; a Verdict for each creation. Must never decide by clocks: the order of a
// context's changes decides, and if several masks remain possible, the final mode. Fed by find.cc
// with the intents of the first reading (umask_classifier.h, which has a worked example).
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/rules/attribution.h"
#include "reporter/rules/umask_classifier.h"

namespace umaskaudit::rules {

// One umask call, and the later call of the same thread that undid it.
struct MaskWindow {
  UmaskEvent open;
  UmaskEvent close;               // valid when closed
  bool closed = false;            // or replaced by a lasting change of the same thread
  bool leaked = false;            // never undone, and should have been
  bool permanent = false;         // not temporary: the mask was meant to stay
  bool idle = false;              // it set the mask that was in force outside of all windows
  bool nested = false;            // the same thread changed the mask again inside
  std::uint64_t own_actions = 0;  // what the thread itself did inside: creations, forks, ...
  WindowPtr saved_origin;         // that set the mask which was saved; null once closed
};

// From a restore that put a wrong mask back, until the right one returns.
struct Lost {
  WindowPtr origin;     // whose temporary mask stayed; null: a lasting change was undone
  WindowPtr restored;   // whose restore put it there
  WindowPtr permanent;  // the last lasting change before it; may be null
  Mode expected = 0;
  Mode stayed = 0;
  std::uint64_t end_ns = 0;  // 0: never
};
using LostPtr = std::shared_ptr<Lost>;

struct Change {
  enum class Role : std::uint8_t { opens, restores, settles, leaks } role = Role::opens;
  WindowPtr window;       // opened or closed by this call
  LostPtr lost_begun;     // this restore put a wrong mask back
  LostPtr lost_ended;     // the right mask is back
  bool threaded = false;  // more than one thread has been seen in the context
};

// Which window decided the mode of a creation.
struct Verdict {
  enum class Kind : std::uint8_t {
    no_object,   // nothing was created
    clean,       // the mode is what its thread could expect
    overlap,     // another thread's temporary mask decided
    clobbered,   // another thread replaced the mask that this thread had set for itself
    lost,        // a wrongly restored mask decided
    leaked,      // a mask that was never restored decided
    unresolved,  // may be hit: the facts do not decide
  } kind = Kind::clean;
  WindowPtr window;  // the culprit's; null for clean ones
  LostPtr lost;
  Mode expected_mask = 0;
  Mode expected = 0;  // the mode under expected_mask
  Mode mode = 0;      // final
  bool ambiguous = false;
  bool born_inside = false;  // the culprit started this thread inside the window

  bool hit() const {
    return kind == Kind::overlap || kind == Kind::clobbered || kind == Kind::lost ||
           kind == Kind::leaked;
  }
};

// Receives the results of a Timeline.
class TimelineSink {
 public:
  virtual ~TimelineSink() = default;
  virtual void on_change(const UmaskEvent& event, const Change& change) = 0;
  virtual void on_create(const CreateEvent& event, const Verdict& verdict) = 0;
  // No creation from now on can lie inside this window.
  virtual void on_closed(const MaskWindow& window) = 0;
};

class Timeline {
 public:
  // Both must outlive the timeline.
  Timeline(const MaskIntents& intents, TimelineSink& sink) : intents_(intents), sink_(sink) {}

  void feed(const Event& event);
  // Delivers the creations that still wait for a mask change.
  void finish();

  // The mask that a thread means to hand to a child process now; nothing for an unknown context.
  std::optional<Mode> heritage(std::uint32_t fs, std::uint32_t tid) const;
  // The latest window of another thread that put `mask` in force; null when there was none.
  WindowPtr window_of(std::uint32_t fs, std::uint32_t tid, Mode mask) const;

 private:
  struct Snapshot {
    std::uint64_t change = 0;
    Mode mask = 0;
    Mode permanent = 0;  // the mask with every window closed
    WindowPtr origin;    // that left `mask` in force; null: none, it is right
    bool origin_open = false;
    WindowPtr by;  // opened or closed by this change
    LostPtr lost;
  };
  struct Thread {
    std::uint32_t pid = 0;
    std::vector<WindowPtr> windows;  // open ones, innermost last
    std::vector<OpenCall> calls;     // the same ones, for match()
    std::uint32_t creator = 0;
    std::uint64_t birth_seq = 0;
  };
  struct Waiting {
    CreateEvent event;
    std::uint32_t actor;
    std::optional<Mode> own_mask;
  };
  struct Context {
    bool threaded = false;
    std::uint32_t first_tid = 0;
    std::uint64_t open_windows = 0;
    std::deque<Snapshot> history;     // the last one is now; empty before the first event
    std::uint64_t history_depth = 0;  // how much of it creations ask for, in change numbers
    LastSetters last_setters;
    WindowPtr last_permanent;
    std::unordered_map<std::uint32_t, Thread> threads;
    std::vector<Waiting> waiting;
  };

  // `actor`: the thread that the event is attributed to.
  Context& context(const EventBase& event, std::uint32_t actor, Mode mask, std::uint64_t change);
  void on_umask(const UmaskEvent& event);
  void on_create(const CreateEvent& event);
  void on_thread(const ThreadCreateEvent& event);
  void on_process(const ProcessEvent& event);
  // Changes were dropped, and open windows may have been closed: `mask` counts as permanent.
  void cut(Context& context, Mode mask, std::uint64_t change);
  void act(std::uint32_t fs, std::uint32_t tid);
  static void remember(Context& context, Snapshot next);
  static void forget(Context& context);
  void deliver(Context& context, bool all);

  // One for each role. They return what changed and leave the new state in `next`.
  Change open(Context& context, const UmaskEvent& event, bool leaks, Snapshot& next);
  Change settle(Context& context, const UmaskEvent& event, Snapshot& next);
  Change restore(Context& context, const UmaskEvent& event, std::size_t index, Snapshot& next);

  void close_from(Context& context, Thread& thread, std::size_t index, const UmaskEvent& event);
  // The number of the last change that may have come before the kernel looked at the mask.
  static std::uint64_t last_candidate(const Context& context, const CreateEvent& event);
  // The temporary mask of a thread; nothing when it has none.
  static std::optional<Mode> own_mask(const Context& context, std::uint32_t tid);
  // The thread, or one of those that led to its start, was started by the owner of the window
  // inside it.
  static bool started_inside(const Context& context, std::uint32_t tid, const MaskWindow& window);
  // The thread was started inside the window and created nothing after its end: the mask of the
  // window is the mask that its creator chose for it.
  bool lives_inside(const Context& context, std::uint32_t tid, const MaskWindow& window) const;
  Verdict judge(const Context& context, const CreateEvent& event, std::uint32_t actor,
                std::optional<Mode> own_mask) const;
  void blame(const Context& context, std::uint32_t actor, const Snapshot& state,
             Verdict& verdict) const;

  const MaskIntents& intents_;
  TimelineSink& sink_;
  ThreadContexts thread_contexts_;
  SpawnParents spawn_parents_;
  std::unordered_map<std::uint32_t, Context> contexts_;
};

}  // namespace umaskaudit::rules

// UmaskClassifier: decides for each umask call whether its thread undid it (then both are a
// window), meant the mask to stay (permanent), or forgot to undo it (leaked). That
// depends on later calls, and the rules need it at the first event, so a run is read twice, and
// this is the first reading. Must never keep calls that were undone: memory is bounded by those
// that were not.
//
// Worked example. Thread 1 is the main thread, thread 2 another; the mask at the start is 0022.
//
//     id  thread  call          returns  becomes
//      1    1     umask(0027)    0022    permanent: never undone, and set by the main thread: the
//                                        set-up of a service
//      2    2     umask(0077)    0027    opens a window: call 3 sets what it returned
//      3    2     umask(0027)    0077    closes the window 2-3
//      4    2     umask(0000)    0027    leaked: never undone, set by a thread that is not the main
//                                        one, after another thread had created objects
//
// After call 2, `calls` of thread 2 is [2]. Call 3 sets 0027, which call 2 saved: match() says that
// it undoes call 2, and `calls` is empty again. Call 4 stays in `calls` until finish(). An object
// that thread 1 creates between 2 and 3 with 0600 instead of 0640 is an overlap: timeline.h finds
// the window 2-3 in force, and that its owner is thread 2. Had a thread started between 1 and 2,
// call 1 would be settled as permanent at that moment: threads inherit it as their environment.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/rules/attribution.h"
#include "reporter/rules/history_depth.h"

namespace umaskaudit::rules {

enum class MaskIntent : std::uint8_t {
  permanent,  // meant to stay
  leaked,     // meant to be undone, and was not
};
struct MaskIntents {
  // By UmaskEvent::id. Absent: undone, or cut off by the end of the run.
  std::unordered_map<std::uint64_t, MaskIntent> calls;
  HistoryDepth history_depth;
  // Threads that were started inside a window of their creator and made something after its end as
  // well, by the seq of their ThreadCreateEvent. Another thread that was started inside a window
  // keeps the window's mask for its whole life: its creator chose it.
  std::unordered_set<std::uint64_t> outlive;
};

// A umask call that waits for the one that undoes it: as little of it as matching needs.
struct OpenCall {
  std::uint64_t id = 0;
  std::uint64_t site = 0;
  Mode saved = 0;
  Mode mask = 0;               // that it set
  bool reopened = false;       // the same code called again without undoing this
  bool others_before = false;  // other threads had created objects before it
};

// The call site as a number: equal for calls with one stack; where none was kept, for calls of one
// thread with one argument.
std::uint64_t site_of(const UmaskEvent& event);

// What a call does to the earlier ones of its thread.
struct Match {
  // It undoes this one, and what lies above.
  std::optional<std::size_t> undoes;
  // It starts a new round of code that ended its last round with a fixed mask instead of the saved
  // one: the calls from here on are over, and the last of them was meant to stay.
  std::optional<std::size_t> abandons;
};
// `calls` are a thread's open ones, innermost last; only `site` and `saved` are looked at.
Match match(const std::vector<OpenCall>& calls, const UmaskEvent& event);

// Feed it with all events, in order.
class UmaskClassifier {
 public:
  void feed(const Event& event);
  MaskIntents finish();

 private:
  // A thread's first call, once another one has undone it, and whether what followed says that it
  // was meant to stay all the same: again and again one call leaves its mask, and one other brings
  // it back. Then those two are the window, and not the first call with the one that leaves.
  struct FirstCall {
    OpenCall call;
    std::uint64_t leaves = 0;   // site
    std::uint64_t returns = 0;  // site; 0: never so far
    std::uint64_t rounds = 0;
    bool stays = true;  // no call contradicts it
  };
  // A thread that was started while its creator, or the one that started that, had open calls.
  struct Started {
    std::uint32_t tid = 0;
    std::uint64_t birth = 0;  // seq of its ThreadCreateEvent
    std::uint32_t root = 0;   // whose open calls those are
    std::size_t depth = 0;    // how many they were
    bool over = false;        // one of them was undone
  };
  struct Thread {
    std::uint32_t pid = 0;
    std::vector<OpenCall> calls;
    std::optional<FirstCall> first;
    std::vector<Started> started;  // inside `calls`: their depths rise

    void forget() {
      calls.clear();
      first.reset();
      started.clear();
    }
  };
  struct Context {
    std::unordered_map<std::uint32_t, Thread> threads;
    std::unordered_map<std::uint32_t, Started> started;  // by its tid
    bool threaded = false;
    std::uint32_t exec_tid = 0;          // whose exec is under way
    std::uint32_t creators[2] = {0, 0};  // two different threads that created objects
  };

  void on_umask(const UmaskEvent& event);
  void on_create(const CreateEvent& event);
  void on_thread(const ThreadCreateEvent& event);
  void on_process(const ProcessEvent& event);
  void end(std::uint32_t tid, Thread& thread, bool thread_ended);
  void cut(Context& context);
  static void start_inside(Context& context, const ThreadCreateEvent& event);
  static void undo(Context& context, Thread& thread, std::size_t index);
  void acts(Context& context, std::uint32_t tid);
  static void left(Thread& thread, const UmaskEvent& event);
  static void returned(Thread& thread);
  void settle_first(std::uint32_t tid, Thread& thread);
  static void settle(MaskIntents& intents, Thread& thread);

  MaskIntents intents_;
  ThreadContexts thread_contexts_;
  SpawnParents spawn_parents_;
  std::unordered_map<std::uint32_t, Context> contexts_;
  std::unordered_map<std::uint64_t, bool> undone_;  // sites whose calls are usually undone
};

}  // namespace umaskaudit::rules

// Which thread, context or window an event is attributed to, as far as the events so far say.
// Must never be asked about later events, nor grow with the number of mask changes.
// Fed and asked by both passes over a run (umask_classifier.h, timeline.h).
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "reporter/events/events.h"
#include "reporter/mode/calculus.h"

namespace umaskaudit::rules {

// The fs context that each thread has: the record of a thread's creation does not say.
class ThreadContexts {
 public:
  void see(const EventBase& event) {
    if (event.fs == 0) return;
    Place& place = of_thread_[event.tid];
    if (place.fs == event.fs && place.pid == event.pid) return;  // nearly always
    place = {event.fs, event.pid};
    of_process_.try_emplace(event.pid, event.fs);
  }
  // The creator's context; that of its process when the creator has done nothing yet; 0: unknown.
  std::uint32_t of(const ThreadCreateEvent& event) const {
    if (event.fs != 0) return event.fs;
    const auto thread = of_thread_.find(event.tid);
    if (thread != of_thread_.end()) return thread->second.fs;
    const auto process = of_process_.find(event.pid);
    return process == of_process_.end() ? 0 : process->second;
  }

 private:
  struct Place {
    std::uint32_t fs = 0, pid = 0;
  };
  std::unordered_map<std::uint32_t, Place> of_thread_;
  std::unordered_map<std::uint32_t, std::uint32_t> of_process_;
};

// The thread on whose behalf a posix_spawn child acts: until its exec the child has the fs
// context and the mask of the thread that made it, and performs that thread's file actions
// (posix_spawn(3)). Taken for a thread of its own, it would be the victim of its parent's window.
class SpawnParents {
 public:
  void see(const Event& event) {
    const auto* fork = std::get_if<ForkEvent>(&event);
    if (fork != nullptr && fork->origin == trace::Origin::vfork) makers_[fork->child] = fork->tid;
    if (const auto* process = std::get_if<ProcessEvent>(&event)) makers_.erase(process->pid);
  }
  // The thread that caused `event`.
  std::uint32_t actor(const EventBase& event) const {
    if (makers_.empty() || event.tid != event.pid) return event.tid;
    const auto maker = makers_.find(event.tid);
    return maker == makers_.end() ? event.tid : maker->second;
  }

 private:
  std::unordered_map<std::uint32_t, std::uint32_t> makers_;  // by the child's id, until its exec
};

struct MaskWindow;
using WindowPtr = std::shared_ptr<MaskWindow>;

// The last windows that put each mask in force, for a process that starts with a mask its parent
// did not mean to keep. Two windows for each mask, however many changes there are.
class LastSetters {
 public:
  // `mask` is in force by a window of `tid` that is open.
  void set(Mode mask, std::uint32_t tid, const WindowPtr& window) {
    Latest& latest = latest_[mask];
    if (latest.window == window) return;
    // Keep the previous setter for other_than().
    if (latest.window && latest.tid != tid) latest.other = std::move(latest.window);
    latest.window = window;
    latest.tid = tid;
  }
  // The latest window that put `mask` in force and is not one of `tid`; null: there was none.
  WindowPtr other_than(std::uint32_t tid, Mode mask) const {
    const auto found = latest_.find(mask);
    if (found == latest_.end()) return nullptr;
    return found->second.tid != tid ? found->second.window : found->second.other;
  }
  void clear() { latest_.clear(); }

 private:
  struct Latest {
    std::uint32_t tid = 0;
    WindowPtr window;
    WindowPtr other;  // of another thread than `tid`
  };
  std::unordered_map<Mode, Latest> latest_;
};

}  // namespace umaskaudit::rules

// Which fs context a thread lives in: the record of a thread's creation does not say.
// Must never be asked about the future: it knows the events that were fed to it.
// Used by both readings of a run.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "reporter/events/events.h"

namespace umaskaudit::rules {

class Homes {
 public:
  void see(const EventBase& event) {
    if (event.fs == 0) return;
    Home& home = of_thread_[event.tid];
    if (home.fs == event.fs && home.pid == event.pid) return;  // nearly always
    home = {event.fs, event.pid};
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
  struct Home {
    std::uint32_t fs = 0, pid = 0;
  };
  std::unordered_map<std::uint32_t, Home> of_thread_;
  std::unordered_map<std::uint32_t, std::uint32_t> of_process_;
};

}  // namespace umaskaudit::rules

// Who acts when a posix_spawn child does: until its exec it has the fs context and the mask of the
// thread that made it, and does what that thread ordered (posix_spawn(3), file actions). A rule
// that took it for another thread would call a thread the victim of its own window. Asked by the
// timeline and by the first reading, for each creation.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "reporter/events/events.h"

namespace umaskaudit::rules {

class Borrowers {
 public:
  void see(const Event& event) {
    const auto* fork = std::get_if<ForkEvent>(&event);
    if (fork != nullptr && fork->origin == trace::Origin::vfork) makers_[fork->child] = fork->tid;
    if (const auto* process = std::get_if<ProcessEvent>(&event)) makers_.erase(process->pid);
  }
  // The thread that answers for what `event` did.
  std::uint32_t actor(const EventBase& event) const {
    if (makers_.empty() || event.tid != event.pid) return event.tid;
    const auto maker = makers_.find(event.tid);
    return maker == makers_.end() ? event.tid : maker->second;
  }

 private:
  std::unordered_map<std::uint32_t, std::uint32_t> makers_;  // by the child's id, until its exec
};

}  // namespace umaskaudit::rules

// How far back in its context's mask changes a creation looks: to the change before its call, which
// lies further back the longer the call took. Known only at the end of a run, and asked from its
// first change on: what no creation will ask for need not be kept. Part of the first reading, as
// the classification of umask calls is. Must never be less than what the timeline looks at. One
// number for each context.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "reporter/events/events.h"

namespace umaskaudit::rules {

class HistoryDepth {
 public:
  // The first reading. The latest change is determined here as in Timeline.
  void feed(const Event& event) {
    if (const auto* create = std::get_if<CreateEvent>(&event)) {
      Context& c = context(create->fs, create->change_before);
      if (c.latest > create->change_before)
        c.depth = std::max(c.depth, c.latest - create->change_before);
    } else if (const auto* umask = std::get_if<UmaskEvent>(&event)) {
      Context& c = context(umask->fs, umask->change > 0 ? umask->change - 1 : 0);
      c.latest = std::max(c.latest, umask->change);
    } else if (const auto* process = std::get_if<ProcessEvent>(&event)) {
      context(process->fs, 0).latest = 0;
    }
  }
  // The second reading: from the latest change to the oldest that is needed, by their numbers.
  std::uint64_t of(std::uint32_t fs) const {
    const auto found = contexts_.find(fs);
    return found == contexts_.end() ? 0 : found->second.depth;
  }

 private:
  struct Context {
    std::uint64_t latest = 0;
    std::uint64_t depth = 0;
  };
  Context& context(std::uint32_t fs, std::uint64_t first_change) {
    return contexts_.try_emplace(fs, Context{first_change, 0}).first->second;
  }

  std::unordered_map<std::uint32_t, Context> contexts_;
};

}  // namespace umaskaudit::rules

// MaskPairs: matches umask calls that restore a mask with the earlier call that returned it; most
// calls come in such pairs.
// Must be given the events in the order of the run. Used by the replay of `whatif` and by `blame`,
// each with a Value of its own.
//
// A call is taken for the second of a pair when its argument is a mask that the process (or the one
// it was forked from) got from umask before and has not restored yet. What the second call of a
// pair returns is rarely used by a program: that counts only for the same thread, and for a call
// site that never set this very mask as a constant, as umask(0) of a getter does. A mask that a
// program computes is not recognised: umask(old | 077) counts as a constant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "reporter/events/events.h"

namespace umaskaudit::analysis {

// `Value`: the information that is kept with a mask.
template <typename Value>
class MaskPairs {
 public:
  // fork copies the variables that hold an old mask, exec discards them.
  void see(const ProcessEvent& event) {
    const auto parent = memories_.find(event.ppid);
    const bool copied = event.origin != trace::Origin::exec && parent != memories_.end();
    memories_[event.pid] = copied ? Memory(parent->second) : Memory();
  }

  // `old`: for the mask that the call returned. Returns the Value of a restored mask; nothing for a
  // constant.
  std::optional<Value> see(const UmaskEvent& event, const Value& old) {
    Memory& memory = memories_[event.pid];
    const auto argument = static_cast<Mode>(event.argument & 0777);
    const std::uint64_t site = std::uint64_t{event.stack.segment} << 32 | event.stack.id;
    // A call that changes nothing is the second of a pair, or sets the same constant again.
    const bool again = argument == event.old_mask && memory.constant_sites.contains(site);
    const bool own = memory.constants.contains({site, argument});
    std::optional<Value> put_back;
    if (!again) put_back = take(memory.returned[argument], own ? 0 : event.tid);
    if (!put_back && event.stack.id != 0) {
      memory.constant_sites.insert(site);
      memory.constants.insert({site, argument});
    }
    keep(memory.returned[event.old_mask], {old, put_back ? event.tid : 0});
    return put_back;
  }

 private:
  // The number of returned masks to keep that are never restored; the latest.
  static constexpr std::size_t kMostSaved = 16;

  struct Returned {
    Value value;
    std::uint32_t second_of;  // the thread, if the second call of a pair returned it; else 0
  };
  // The masks that umask returned to a process.
  struct Memory {
    std::map<Mode, std::vector<Returned>> returned;      // by the mask as recorded, latest last
    std::set<std::uint64_t> constant_sites;              // stacks that set a mask of their own
    std::set<std::pair<std::uint64_t, Mode>> constants;  // and which
  };

  static std::optional<Value> take(std::vector<Returned>& pending, std::uint32_t tid) {
    for (auto one = pending.rbegin(); one != pending.rend(); ++one) {
      if (one->second_of != 0 && one->second_of != tid) continue;
      const Value value = one->value;
      pending.erase(std::next(one).base());
      return value;
    }
    return std::nullopt;
  }
  static void keep(std::vector<Returned>& saved, Returned returned) {
    // A getter that is called repeatedly must not push out masks that are still to be restored.
    if (returned.second_of != 0 && !saved.empty() && saved.back().second_of == returned.second_of)
      saved.pop_back();
    if (saved.size() == kMostSaved) saved.erase(saved.begin());
    saved.push_back(returned);
  }

  std::map<std::uint32_t, Memory> memories_;  // by pid
};

}  // namespace umaskaudit::analysis

// MaskChoice: finds the umask call that chose a mask, as opposed to one that restored it.
// Must never be queried before it has seen the whole run: a creation may refer to a later umask
// call. Used by `blame` and `diff`.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "reporter/analysis/mask_pairs.h"

namespace umaskaudit::analysis {

class MaskChoice {
 public:
  void see(const Event& event) {
    if (const auto* process = std::get_if<ProcessEvent>(&event)) pairs_.see(*process);
    if (const auto* change = std::get_if<UmaskEvent>(&event)) add(*change);
  }

  // UmaskEvent::id of the call that chose the mask which `call` set; nothing: inherited.
  std::optional<std::uint64_t> chooser(std::uint64_t call) const {
    const std::uint64_t id = of(call);
    if (id == 0) return std::nullopt;
    return id == kDropped ? call : id;
  }

 private:
  // If the record of the choosing call was dropped, the first known call that restores the mask
  // counts.
  static constexpr std::uint64_t kDropped = UINT64_MAX;

  // 0: inherited. A call without a record stands for itself.
  std::uint64_t of(std::uint64_t call) const {
    const auto known = chosen_by_.find(call);
    return known == chosen_by_.end() ? call : known->second;
  }
  void add(const UmaskEvent& event) {
    // After a drift the old mask was set by another process, or unseen: the call that returned it
    // is the first that is known.
    std::uint64_t old = event.old_setter_dropped ? kDropped : 0;
    if (event.old_set_by) old = of(*event.old_set_by);
    if (event.drift) old = event.drift_set_by ? of(*event.drift_set_by) : event.id;
    const std::uint64_t chosen = pairs_.see(event, old).value_or(event.id);
    if (event.id != 0) chosen_by_[event.id] = chosen;
  }

  MaskPairs<std::uint64_t> pairs_;  // UmaskEvent::id of the call that chose it
  std::unordered_map<std::uint64_t, std::uint64_t> chosen_by_;  // by UmaskEvent::id
};

}  // namespace umaskaudit::analysis

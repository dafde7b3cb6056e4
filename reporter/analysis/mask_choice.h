// Who chose a mask: the umask call that came up with it, not one that only put it back.
// Must never be asked before it has seen the whole run: a creation may name a later umask call.
// Called by `blame` and `diff`.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "reporter/analysis/mask_pairs.h"

namespace umaskaudit {

class MaskChoice {
 public:
  void see(const Event& event) {
    if (const auto* process = std::get_if<ProcessEvent>(&event)) pairs_.see(*process);
    if (const auto* change = std::get_if<UmaskEvent>(&event)) add(*change);
  }

  // UmaskEvent::id of the call that chose the mask which `call` set; nothing: it was inherited.
  std::optional<std::uint64_t> chooser(std::uint64_t call) const {
    const std::uint32_t id = of(call);
    if (id == 0) return std::nullopt;
    return id;
  }

 private:
  // 0: inherited. A call that was not seen stands for itself.
  std::uint32_t of(std::uint64_t call) const {
    if (call >= chosen_by_.size() || chosen_by_[call] == kUnseen)
      return static_cast<std::uint32_t>(call);
    return chosen_by_[call];
  }
  void add(const UmaskEvent& event) {
    // With a drift the old mask is that of another process, or of something unseen: the call that
    // returned it is the first that is known of it.
    std::uint32_t old = event.old_set_by ? of(*event.old_set_by) : 0;
    if (event.drift)
      old = event.drift_set_by ? of(*event.drift_set_by) : static_cast<std::uint32_t>(event.id);
    const std::uint32_t chosen =
        pairs_.see(event, old).value_or(static_cast<std::uint32_t>(event.id));
    if (event.id == 0) return;
    if (chosen_by_.size() <= event.id) chosen_by_.resize(event.id + 1, kUnseen);
    chosen_by_[event.id] = chosen;
  }

  static constexpr std::uint32_t kUnseen = 0xFFFFFFFF;
  MaskPairs<std::uint32_t> pairs_;        // UmaskEvent::id of the call that chose it
  std::vector<std::uint32_t> chosen_by_;  // by UmaskEvent::id; a run has fewer calls than that
};

}  // namespace umaskaudit

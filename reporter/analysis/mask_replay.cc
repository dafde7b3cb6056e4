// Replays the umask calls; see mask_replay.h.
#include "reporter/analysis/mask_replay.h"

#include <algorithm>
#include <set>

namespace umaskaudit::analysis {
namespace {

constexpr Mode kPermissions = 0777;

}  // namespace

void MaskReplay::see(const Event& event) {
  if (const auto* process = std::get_if<ProcessEvent>(&event)) pairs_.see(*process);
  if (const auto* change = std::get_if<UmaskEvent>(&event)) add(*change);
}

Mode MaskReplay::mask_after(std::optional<std::uint64_t> id) const {
  const auto found = id ? after_.find(*id) : after_.end();
  return found == after_.end() ? mask_ : Mode{found->second};  // or that record was lost
}

void MaskReplay::add(const UmaskEvent& event) {
  // After a drift the old mask was set unseen, or by a call whose record was dropped.
  const bool unseen = event.drift || event.old_setter_dropped;
  const Mode old_mask = unseen ? event.old_mask : mask_after(event.old_set_by);
  const Mode mask =
      pairs_.see(event, old_mask).value_or(static_cast<Mode>(event.argument & kPermissions));
  if (event.id == 0) return;
  after_[event.id] = static_cast<std::uint16_t>(mask);
}

std::vector<Mode> inherited_masks(const reader::Run& run) {
  std::vector<Mode> masks;
  std::set<std::uint32_t> known;
  for (const ProcessEvent& process : run.processes()) {
    const bool first = known.count(process.ppid) == 0 && known.count(process.pid) == 0;
    known.insert(process.pid);
    if (first && process.mask_source != trace::MaskSource::unknown &&
        std::find(masks.begin(), masks.end(), process.mask) == masks.end())
      masks.push_back(process.mask);
  }
  return masks;
}

}  // namespace umaskaudit::analysis

// The replay of mask_replay.h.
#include "reporter/analysis/mask_replay.h"

#include <algorithm>
#include <set>

namespace umaskaudit {
namespace {

constexpr Mode kPermissions = 0777;
// Masks that a program got and never puts back: the latest of them are kept.
constexpr std::size_t kMostSaved = 16;
constexpr std::uint16_t kUnseen = 0xFFFF;  // the record of that call was lost

}  // namespace

void MaskReplay::see(const Event& event) {
  std::visit([this](const auto& one) { add(one); }, event);
}

Mode MaskReplay::mask_after(std::optional<std::uint64_t> id) const {
  if (!id || *id >= after_.size() || after_[*id] == kUnseen) return mask_;
  return after_[*id];
}

// fork copies the variables that hold an old mask, exec leaves none of them.
void MaskReplay::add(const ProcessEvent& event) {
  const auto parent = memories_.find(event.ppid);
  const bool copied = event.origin != trace::Origin::exec && parent != memories_.end();
  memories_[event.pid] = copied ? Memory(parent->second) : Memory();
}

void MaskReplay::add(const UmaskEvent& event) {
  Memory& memory = memories_[event.pid];
  const Mode argument = event.argument & kPermissions;
  const std::uint64_t site = std::uint64_t{event.stack.segment} << 32 | event.stack.id;
  std::vector<Mode>& pending = memory.returned[argument];
  // A call that changes nothing is the second of a pair, or says again what was said before.
  const bool again = argument == event.old_mask && memory.constant_sites.count(site) != 0;
  const bool puts_back = !pending.empty() && !again;
  const Mode mask = puts_back ? pending.back() : argument;
  if (puts_back)
    pending.pop_back();
  else if (event.stack.id != 0)
    memory.constant_sites.insert(site);
  // With a drift somebody unseen has set the old mask.
  const Mode old_mask = event.drift ? event.old_mask : mask_after(event.old_set_by);
  std::vector<Mode>& saved = memory.returned[event.old_mask];
  if (saved.size() == kMostSaved) saved.erase(saved.begin());
  saved.push_back(old_mask);
  if (event.id == 0) return;
  if (after_.size() <= event.id) after_.resize(event.id + 1, kUnseen);
  after_[event.id] = static_cast<std::uint16_t>(mask);
}

std::vector<Mode> inherited_masks(const Run& run) {
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

}  // namespace umaskaudit

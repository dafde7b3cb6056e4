// See mask_history.h. Numbers run 1, 2, 3, ... unless records were lost, so most lookups are
// direct.
#include "reporter/reader/mask_history.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "preload/trace/format.h"

namespace umaskaudit::model {
namespace {

std::uint32_t narrow(std::uint64_t number) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(number, kMost));
}

std::uint32_t where_of(std::uint64_t offset) { return narrow(offset / trace::kRecordAlign); }

bool before(const MaskChange& a, const MaskChange& b) {
  return std::tie(a.change, a.where) < std::tie(b.change, b.where);
}

}  // namespace

void MaskHistory::add(std::uint64_t time_ns, std::uint64_t change, std::uint64_t offset,
                      Mode mask) {
  changes_.push_back(
      {time_ns, narrow(change), 0, where_of(offset), static_cast<std::uint16_t>(mask & 0777)});
}

void MaskHistory::witness(std::uint64_t change, std::uint64_t time_ns) {
  if (change == 0) return;
  if (witnesses_.empty() || narrow(change) > witnesses_.back().first) {
    witnesses_.emplace_back(narrow(change), time_ns);
  } else if (narrow(change) == witnesses_.back().first) {
    witnesses_.back().second = std::min(witnesses_.back().second, time_ns);
  }
}

void MaskHistory::finish() {
  if (!std::is_sorted(changes_.begin(), changes_.end(), before)) {
    std::sort(changes_.begin(), changes_.end(), before);
  }
  auto seen = witnesses_.rbegin();
  std::uint64_t bound = std::numeric_limits<std::uint64_t>::max();
  for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) {
    if (change->change == 0) break;  // made without the lock: nothing but its time orders it
    for (; seen != witnesses_.rend() && seen->first >= change->change; ++seen) {
      bound = std::min(bound, seen->second);
    }
    change->time_ns = std::min(change->time_ns, bound);
    bound = change->time_ns == 0 ? 0 : change->time_ns - 1;
  }
  witnesses_ = {};
}

void MaskHistory::forget_all_but(std::size_t most) {
  if (changes_.size() <= 2 * most) return;
  const auto first_kept = changes_.end() - static_cast<std::ptrdiff_t>(most);
  forgotten_ = std::max<std::uint64_t>(forgotten_, (first_kept - 1)->change);
  changes_.erase(changes_.begin(), first_kept);
}

bool MaskHistory::holds(std::uint64_t first, std::uint64_t last) const {
  first = std::max(first, forgotten_);
  if (last <= first) return true;
  const MaskChange* from = after(first);
  const MaskChange* to = find(last);
  return from != nullptr && to != nullptr &&
         static_cast<std::uint64_t>(to - from) + 1 == last - first;
}

const MaskChange* MaskHistory::find(std::uint64_t change) const {
  return change == 0 ? nullptr : find(change, 0);
}

const MaskChange* MaskHistory::find(std::uint64_t change, std::uint64_t offset) const {
  const MaskChange wanted{0, narrow(change), 0, where_of(offset), 0};
  if (change != 0 && change <= changes_.size()) {
    const MaskChange& guess = changes_[change - 1];
    if (guess.change == change && (offset == 0 || guess.where == wanted.where)) return &guess;
  }
  const auto found = std::lower_bound(changes_.begin(), changes_.end(), wanted, before);
  if (found == changes_.end() || found->change != wanted.change) return nullptr;
  return offset == 0 || found->where == wanted.where ? &*found : nullptr;
}

const MaskChange* MaskHistory::after(std::uint64_t change) const {
  if (change < changes_.size() && changes_[change].change == change + 1 &&
      (change == 0 || changes_[change - 1].change == change)) {
    return &changes_[change];
  }
  const MaskChange wanted{0, narrow(change), 0, std::numeric_limits<std::uint32_t>::max(), 0};
  const auto found = std::upper_bound(changes_.begin(), changes_.end(), wanted, before);
  return found == changes_.end() ? nullptr : &*found;
}

}  // namespace umaskaudit::model

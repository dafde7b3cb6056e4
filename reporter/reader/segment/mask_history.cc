// Numbers run 1, 2, 3, ... unless records were lost or changes folded, so most lookups are direct.
#include "reporter/reader/segment/mask_history.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace umaskaudit::reader {
namespace {

std::uint32_t where_of(std::uint64_t offset) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::min(offset / trace::kRecordAlign, kMost));
}

bool before(const MaskChange& a, const MaskChange& b) {
  return std::tie(a.change, a.where) < std::tie(b.change, b.where);
}

bool lower(const MaskChange& a, std::uint64_t change) { return a.change < change; }

}  // namespace

void MaskHistory::add(std::uint64_t time_ns, std::uint64_t change, std::uint64_t offset,
                      Mode mask) {
  highest_ = std::max(highest_, change);
  changes_.push_back(
      {time_ns, change, 0, where_of(offset), static_cast<std::uint16_t>(mask & 0777), 0});
}

void MaskHistory::add(const trace::Fold& fold, std::uint64_t offset) {
  const auto entry = [&](std::uint64_t change, std::uint64_t time_ns) {
    if (change > fold.state.last || (!changes_.empty() && changes_.back().change >= change &&
                                     changes_.back().where == where_of(offset)))
      return;
    const bool second = (change - fold.begin.first) % 2 != 0;
    const std::uint16_t mask = fold.begin.sites[second ? 1 : 0].new_mask & 0777;
    const std::uint16_t other = fold.begin.sites[second ? 0 : 1].new_mask & 0777;
    changes_.push_back({time_ns, change, 0, where_of(offset), mask,
                        static_cast<std::uint16_t>(kFolded | kOfFold | other)});
    // Nothing before the first entry is folded.
    if (change == fold.begin.first) changes_.back().folded = kOfFold;
  };
  folds_ = true;
  highest_ = std::max(highest_, fold.state.last);
  const std::uint64_t first = fold.begin.first;
  const std::uint64_t last = fold.state.last;
  entry(first, fold.begin.first_ns);
  entry(first + 1, fold.state.second_ns);
  for (std::uint64_t back = 3; back-- > 0;) {
    if (last - first > back) entry(last - back, fold.state.latest_ns[back]);
  }
}

void MaskHistory::witness(std::uint64_t change, std::uint64_t time_ns) {
  if (change == 0) return;
  highest_ = std::max(highest_, change);
  if (witnesses_.empty() || change > witnesses_.back().first) {
    witnesses_.emplace_back(change, time_ns);
  } else if (change == witnesses_.back().first) {
    witnesses_.back().second = std::min(witnesses_.back().second, time_ns);
  }
}

// Takes each change to which an event refers out of its fold, and the change after it, because the
// event is ordered between the two. A fold has no times of these changes: they are interpolated.
void MaskHistory::split_folds() {
  std::vector<MaskChange> split;
  for (const auto& witness : witnesses_) {
    for (const std::uint64_t change : {witness.first, witness.first + 1}) {
      const std::size_t index = entry_of(change);
      if (index == changes_.size() || changes_[index].change == change) continue;
      if (covers(index, change)) split.push_back(inside(index, change));
    }
  }
  if (split.empty()) return;
  for (MaskChange& change : split) {
    const std::size_t index = entry_of(change.change);
    const bool like_end = (changes_[index].change - change.change) % 2 == 0;
    const std::uint16_t other = like_end ? changes_[index].folded & 0777 : changes_[index].mask;
    change.folded = static_cast<std::uint16_t>(kFolded | kOfFold | other);
  }
  changes_.insert(changes_.end(), split.begin(), split.end());
  std::sort(changes_.begin(), changes_.end(), before);
  const auto same = [](const MaskChange& a, const MaskChange& b) {
    return a.change == b.change && a.where == b.where;
  };
  changes_.erase(std::unique(changes_.begin(), changes_.end(), same), changes_.end());
}

void MaskHistory::finish() {
  if (!std::is_sorted(changes_.begin(), changes_.end(), before)) {
    std::sort(changes_.begin(), changes_.end(), before);
  }
  if (folds_) split_folds();
  auto seen = witnesses_.rbegin();
  std::uint64_t bound = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = changes_.size(); i-- > 0;) {
    MaskChange& change = changes_[i];
    if (change.change == 0) break;  // made without the lock: ordered by its time only
    for (; seen != witnesses_.rend() && seen->first >= change.change; ++seen) {
      bound = std::min(bound, seen->second);
    }
    change.time_ns = std::min(change.time_ns, bound);
    bound = change.time_ns - std::min(change.time_ns, span(i));
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
  std::uint64_t have = first;
  for (std::size_t i = entry_of(first + 1); i < changes_.size() && have < last; ++i) {
    if (changes_[i].change - span(i) > have) return false;
    have = changes_[i].change;
  }
  return have >= last;
}

bool MaskHistory::gap_behind(std::size_t index) const {
  const std::uint64_t change = changes_[index].change;
  if (index + 1 == changes_.size()) return highest_ > change;
  return changes_[index + 1].change - span(index + 1) > change;
}

std::size_t MaskHistory::entry_of(std::uint64_t change) const {
  const auto found = std::lower_bound(changes_.begin(), changes_.end(), change, lower);
  return static_cast<std::size_t>(found - changes_.begin());
}

std::uint64_t MaskHistory::span(std::size_t index) const {
  const MaskChange& entry = changes_[index];
  if ((entry.folded & kFolded) == 0) return 1;
  // Of a fold whose begin is forgotten, or lost, only the end is known.
  if (index == 0 || changes_[index - 1].change >= entry.change) return 1;
  return entry.change - changes_[index - 1].change;
}

// `change` is between the entry before `index` and that one.
MaskChange MaskHistory::inside(std::size_t index, std::uint64_t change) const {
  const MaskChange& begin = changes_[index - 1];
  MaskChange result = changes_[index];
  const std::uint64_t left = result.change - change;
  const auto share = static_cast<double>(left) / static_cast<double>(result.change - begin.change);
  const std::uint64_t length = result.time_ns - std::min(begin.time_ns, result.time_ns);
  result.time_ns -= std::max(static_cast<std::uint64_t>(static_cast<double>(length) * share),
                             std::min(left, length));
  result.change = change;
  result.id -= std::min(result.id, left);
  if (left % 2 != 0) result.mask = result.folded & 0777;
  return result;
}

std::optional<MaskChange> MaskHistory::find(std::uint64_t change) const {
  return change == 0 ? std::nullopt : find(change, 0);
}

std::optional<MaskChange> MaskHistory::find(std::uint64_t change, std::uint64_t offset) const {
  const MaskChange wanted{0, change, 0, where_of(offset), 0, 0};
  if (change != 0 && change <= changes_.size()) {
    const MaskChange& guess = changes_[change - 1];
    if (guess.change == change && (offset == 0 || guess.where == wanted.where)) return guess;
  }
  const auto found = std::lower_bound(changes_.begin(), changes_.end(), wanted, before);
  if (found == changes_.end()) return std::nullopt;
  if (found->change == change) {
    return offset == 0 || found->where == wanted.where ? std::optional(*found) : std::nullopt;
  }
  const auto index = static_cast<std::size_t>(found - changes_.begin());
  const bool here = offset == 0 || found->where == wanted.where;
  if (change == 0 || !here || !covers(index, change)) return std::nullopt;
  return inside(index, change);
}

std::optional<MaskChange> MaskHistory::after(std::uint64_t change) const {
  if (change < changes_.size() && changes_[change].change == change + 1 &&
      (change == 0 || changes_[change - 1].change == change)) {
    return changes_[change];
  }
  const std::size_t index = entry_of(change + 1);
  if (index == changes_.size()) return std::nullopt;
  const bool folded = changes_[index].change != change + 1 && covers(index, change + 1);
  return folded ? inside(index, change + 1) : changes_[index];
}

}  // namespace umaskaudit::reader

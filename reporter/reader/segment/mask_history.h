// MaskHistory: the mask changes of one fs context in one segment, by number.
// Must never need the clock to order two changes. Takes 32 bytes for a change that was recorded by
// itself: besides paths, the only memory of the reader that grows with the number of events.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "preload/trace/format.h"
#include "reporter/mode/calculus.h"

namespace umaskaudit::reader {

struct MaskChange {
  std::uint64_t time_ns = 0;  // as recorded; after finish() not later than that of any later entry
  std::uint64_t change = 0;
  std::uint64_t id = 0;      // UmaskEvent::id
  std::uint32_t where = 0;   // the record's offset / 8: distinguishes two changes with one number
  std::uint16_t mask = 0;    // the new one
  std::uint16_t folded = 0;  // flags, and the mask before it; 0: not folded
};
static_assert(sizeof(MaskChange) == 32);
// The changes between the previous entry and this one are folded into it: they set the same two
// masks in turn.
inline constexpr std::uint16_t kFolded = 1u << 15;
inline constexpr std::uint16_t kOfFold = 1u << 14;  // `where` is the fold

class MaskHistory {
 public:
  void add(std::uint64_t time_ns, std::uint64_t change, std::uint64_t offset, Mode mask);
  // Adds all changes of a fold; those with known times get an entry.
  void add(const trace::Fold& fold, std::uint64_t offset);
  // Something happened at `time_ns` with `change` already in force.
  void witness(std::uint64_t change, std::uint64_t time_ns);
  // Keeps the latest `most` changes, or up to twice as many. Call it after finish().
  void forget_all_but(std::size_t most);
  // True when all changes above `first` up to `last` are here, or were once and are forgotten.
  bool holds(std::uint64_t first, std::uint64_t last) const;
  // Sorts by change number and makes times strictly increase. The clock is read after the call,
  // sometimes long after: a change is never later than the changes and creations that follow it.
  void finish();

  // The entries: folded changes that nothing refers to have none.
  std::vector<MaskChange>& changes() { return changes_; }
  const std::vector<MaskChange>& changes() const { return changes_; }

  // Nothing when that change was lost. A folded one has a time between those of its neighbours.
  std::optional<MaskChange> find(std::uint64_t change) const;
  std::optional<MaskChange> find(std::uint64_t change, std::uint64_t offset) const;
  // The first change with a number above `change`.
  std::optional<MaskChange> after(std::uint64_t change) const;
  // How many changes the entry at `index` stands for, its own included.
  std::uint64_t span(std::size_t index) const;
  // The highest number that was recorded or referred to, whether that change is here or not.
  std::uint64_t highest() const { return highest_; }
  // True when changes between the entry at `index` and the next one are not here.
  bool gap_behind(std::size_t index) const;
  // The first entry that is `change` or a later one; the number of entries at the end.
  std::size_t entry_of(std::uint64_t change) const;

 private:
  // Whether `change`, which is not above the entry at `index`, is folded into it.
  bool covers(std::size_t index, std::uint64_t change) const {
    return span(index) > changes_[index].change - change;
  }
  MaskChange inside(std::size_t index, std::uint64_t change) const;
  void split_folds();

  std::vector<MaskChange> changes_;
  bool folds_ = false;
  std::uint64_t forgotten_ = 0;  // the highest forgotten number
  std::uint64_t highest_ = 0;
  // Increasing change numbers, each with the earliest time at which it was in force; for finish()
  // only.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> witnesses_;
};

}  // namespace umaskaudit::reader

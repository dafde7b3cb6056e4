// The mask changes of one fs context as one segment saw them, in the order of their numbers.
// Must never need the clock to order two changes. 24 bytes a change: with the paths, the only
// memory of the reader that grows with what the program did. Called by the context tree and the
// streams.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "reporter/mode/calculus.h"

namespace umaskaudit::model {

struct MaskChange {
  std::uint64_t time_ns = 0;  // as recorded; after finish() not later than anything behind it
  std::uint32_t change = 0;
  std::uint32_t id = 0;     // UmaskEvent::id
  std::uint32_t where = 0;  // the record's offset / 8: tells two changes of one number apart
  std::uint16_t mask = 0;   // the new one
};
static_assert(sizeof(MaskChange) == 24);

class MaskHistory {
 public:
  void add(std::uint64_t time_ns, std::uint64_t change, std::uint64_t offset, Mode mask);
  // Something happened at `time_ns` with `change` already in force.
  void witness(std::uint64_t change, std::uint64_t time_ns);
  // Keeps the latest `most` changes, or up to twice as many. Call it after finish().
  void forget_all_but(std::size_t most);
  // True when all changes above `first` up to `last` are here, or were once and are forgotten.
  bool holds(std::uint64_t first, std::uint64_t last) const;
  // Sorts by change number and makes times strictly increase. The clock is read after the call, at
  // times long after: a change is never later than the changes and creations that came after it.
  void finish();

  std::vector<MaskChange>& changes() { return changes_; }
  const std::vector<MaskChange>& changes() const { return changes_; }

  // Nothing when that change was lost.
  const MaskChange* find(std::uint64_t change) const;
  const MaskChange* find(std::uint64_t change, std::uint64_t offset) const;
  // The first change with a number above `change`.
  const MaskChange* after(std::uint64_t change) const;
  // The one behind `change`, which is one of these; null at the end.
  const MaskChange* next(const MaskChange* change) const {
    return change + 1 == changes_.data() + changes_.size() ? nullptr : change + 1;
  }

 private:
  std::vector<MaskChange> changes_;
  std::uint64_t forgotten_ = 0;  // the highest number of those
  // Rising change numbers, each with the earliest time it was seen in force; for finish() only.
  std::vector<std::pair<std::uint32_t, std::uint64_t>> witnesses_;
};

}  // namespace umaskaudit::model

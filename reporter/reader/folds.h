// Folded mask changes: found in the records and in the header's cells, and told again as the
// changes that they stand for. Must never tell a change twice, nor more of them than there can have
// been. Used by the two passes over a run, and by the reader of a growing one.
#pragma once

#include <cstdint>
#include <queue>
#include <unordered_map>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/reader/ordering.h"
#include "reporter/reader/segment/record.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::model {

// One change, or several that are like it: every other one up to it.
struct FoldPart {
  std::uint64_t change = 0;
  FoldSpan span;
};

// Folds that were not over when they were read. Read them before the records, for one may move into
// a record meanwhile; add them after those, unless that happened.
std::vector<FoldFact> read_fold_cells(const SegmentFile::Reader& file, const Segment& segment);
void add_cells(const std::vector<FoldFact>& cells, Segment* segment);

// The changes of a fold in order. Those with a number in `named`, which rises and has the first and
// the last one, stand alone.
std::vector<FoldPart> parts_of(const trace::Fold& fold, const std::vector<std::uint64_t>& named);
// The numbers of the changes whose times the fold has.
std::vector<std::uint64_t> timed_changes(const trace::Fold& fold);

// A umask record for one of the changes, as the shim would have written it.
class FoldedChange {
 public:
  Record make(const FoldFact& fact, std::uint64_t change);

 private:
  unsigned char bytes_[sizeof(trace::RecordHeader) + sizeof(trace::Umask)] = {};
};

// The folds of one segment, change by change.
class FoldQueue {
 public:
  // Empty unless they are `told_here`.
  FoldQueue(const Segment& segment, bool told_here, Folds folds);

  bool empty() const { return cursors_.empty(); }
  // Only while not empty().
  const OrderKey& key() const { return cursors_.top().key; }
  // Valid until the next call.
  Record read();
  const FoldSpan& span() const { return span_; }
  void pop();

 private:
  struct Cursor {
    OrderKey key;
    std::uint32_t fold = 0;
    std::uint64_t change = 0;
    std::uint64_t part = 0;  // index
  };
  struct Later {
    bool operator()(const Cursor& a, const Cursor& b) const { return b.key < a.key; }
  };

  void push(Cursor cursor);
  const std::vector<FoldPart>& parts(std::uint32_t fold);

  const Segment& segment_;
  const bool expand_;
  std::priority_queue<Cursor, std::vector<Cursor>, Later> cursors_;
  // Of the folds that have begun and are not over.
  std::unordered_map<std::uint32_t, std::vector<FoldPart>> parts_;
  FoldedChange change_;
  FoldSpan span_;
};

}  // namespace umaskaudit::model

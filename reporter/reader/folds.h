// Folds: finds folded mask changes in records and in the header's cells, and expands them into
// changes again. Must never expand a change twice, nor more changes than there can have been. Used
// by both passes over a run, and for a growing run.
#pragma once

#include <cstdint>
#include <queue>
#include <unordered_map>
#include <vector>

#include "reporter/events/events.h"
#include "reporter/reader/ordering.h"
#include "reporter/reader/segment/record.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

// One change, or every other change up to it.
struct FoldPart {
  std::uint64_t change = 0;
  FoldSpan span;
};

// Folds in progress when they were read. Read them before the records, because one may become a
// record meanwhile; add them after the records, unless that happened.
std::vector<FoldFact> read_fold_cells(const SegmentFile::Reader& file, const Segment& segment);
void add_cells(const std::vector<FoldFact>& cells, Segment* segment);

// The changes of a fold in order. The changes in `named`, which is sorted and contains the first
// and the last one, stand alone.
std::vector<FoldPart> parts_of(const trace::Fold& fold, const std::vector<std::uint64_t>& named);
// The numbers of the changes whose times are in the fold.
std::vector<std::uint64_t> timed_changes(const trace::Fold& fold);

// A umask record for one of the changes, as the shim would have written it.
class FoldedChange {
 public:
  Record make(const FoldFact& fact, std::uint64_t change);

 private:
  unsigned char bytes_[sizeof(trace::RecordHeader) + sizeof(trace::Umask)] = {};
};

// The folds of one segment, expanded in order.
class FoldQueue {
 public:
  // `is_folds_lane`: whether the stream is of the one lane that the folds of the segment go with;
  // the queues of its other lanes stay empty, or each change would be there twice.
  FoldQueue(const Segment& segment, bool is_folds_lane, Folds folds);

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
  // The folds in progress.
  std::unordered_map<std::uint32_t, std::vector<FoldPart>> parts_;
  FoldedChange change_;
  FoldSpan span_;
};

}  // namespace umaskaudit::reader

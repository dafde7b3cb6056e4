// SegmentStream: the events of one lane of a segment in order, for the second pass. Records are in
// the file in the order in which their space was reserved, which with several threads is slightly
// out of time order: the stream sorts within half its buffer, and has a queue for records further
// out of order. Must never hold more than its buffer and that queue.
#pragma once

#include <cstdint>
#include <vector>

#include "reporter/reader/folds.h"
#include "reporter/reader/ordering.h"
#include "reporter/reader/out_of_order_queue.h"
#include "reporter/reader/segment/record.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

// Enough for any record in either half of the buffer.
inline constexpr std::size_t kLeastWindow = 2 * std::size_t{trace::kMaxRecord};

class SegmentStream {
 public:
  // `window`: size of the buffer, at least kLeastWindow.
  SegmentStream(const Segment& segment, Lane lane, std::size_t window, Folds folds);

  const Segment& segment() const { return segment_; }
  bool done() const { return head_ == pending_.size() && late_.empty() && folds_.empty(); }
  // Only while not done().
  const OrderKey& key() const { return fold_is_next() ? folds_.key() : recorded_key(); }
  // Valid until the next call.
  Record record();
  // Of that record, which was asked for.
  const FoldSpan& span() const { return span_; }
  void pop();

 private:
  struct Pending {
    OrderKey key;
    std::uint64_t offset = 0;  // in the file
    std::size_t at = 0;        // in buffer_
  };

  const OrderKey& recorded_key() const {
    return late_is_next() ? late_.key() : pending_[head_].key;
  }
  bool fold_is_next() const {
    if (folds_.empty()) return false;
    return (head_ == pending_.size() && late_.empty()) || folds_.key() < recorded_key();
  }
  bool late_is_next() const {
    return !late_.empty() && (head_ == pending_.size() || late_.key() < pending_[head_].key);
  }
  void look_ahead();
  void refill();
  void keep_pending();
  std::size_t parse(std::size_t begin, std::size_t end, std::uint64_t offset);
  bool is_late(std::uint64_t offset);
  void insert(const Record& record, std::size_t at);

  const Segment& segment_;
  const LaneRecords& lane_;
  Ordering ordering_;
  OutOfOrderQueue late_;
  FoldQueue folds_;
  FoldSpan span_;
  std::size_t late_met_ = 0;  // number of out-of-order records that parse() has passed
  std::vector<unsigned char> buffer_, spare_;
  std::vector<Pending> pending_;  // sorted from head_ on
  std::size_t head_ = 0;
  std::size_t pending_bytes_ = 0;
  std::size_t extent_ = 0;      // the extent to read next
  std::uint64_t position_ = 0;  // and the place in it
};

}  // namespace umaskaudit::reader

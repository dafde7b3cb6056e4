// The events of one segment in order: the second pass. Records lie in the file in the order in
// which their space was reserved, which several threads do slightly out of time order; the stream
// looks ahead by half its buffer to mend that. Must never hold more than its buffer. Called by the
// merger.
#pragma once

#include <cstdint>
#include <vector>

#include "reporter/model/record.h"
#include "reporter/model/segment.h"

namespace umaskaudit::model {

// What events are ordered by. `tie` orders events of one nanosecond: 2 * id for a mask change,
// 2 * id + 1 for what was done under it, 0 for the others.
struct OrderKey {
  std::uint64_t time_ns = 0;
  std::uint64_t tie = 0;
  auto operator<=>(const OrderKey&) const = default;
};

// Room for any record in either half of the buffer.
inline constexpr std::size_t kLeastWindow = 2 * std::size_t{trace::kMaxRecord};

class SegmentStream {
 public:
  // `window`: bytes to hold at once, at least kLeastWindow.
  SegmentStream(const Segment& segment, std::size_t window);

  const Segment& segment() const { return segment_; }
  bool done() const { return head_ == pending_.size(); }
  // Only while not done().
  const OrderKey& key() const { return pending_[head_].key; }
  // Valid until pop().
  Record record() const;
  void pop();

 private:
  struct Pending {
    OrderKey key;
    std::uint64_t offset = 0;  // in the file
    std::size_t at = 0;        // in buffer_
  };

  void look_ahead();
  void refill();
  void keep_pending();
  std::size_t parse(std::size_t begin, std::size_t end, std::uint64_t offset);
  void insert(const Record& record, std::size_t at);
  OrderKey key_of(const Record& record);
  OrderKey among_changes(const Record& record, std::uint32_t context, std::uint64_t change,
                         std::uint64_t reach);
  const MaskHistory* history(std::uint32_t context);

  const Segment& segment_;
  std::vector<unsigned char> buffer_, spare_;
  std::vector<Pending> pending_;  // sorted from head_ on
  std::size_t head_ = 0;
  std::size_t pending_bytes_ = 0;
  std::size_t extent_ = 0;      // the extent to read next
  std::uint64_t position_ = 0;  // and the place in it
  std::uint32_t known_context_ = 0;
  const MaskHistory* known_history_ = nullptr;
};

}  // namespace umaskaudit::model

// OutOfOrderQueue: the out-of-order records of one segment, sorted; each is read when its turn
// comes.
// Must never hold more than 32 bytes for each, and the bytes of one.
#pragma once

#include <cstdint>
#include <vector>

#include "reporter/reader/ordering.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

class OutOfOrderQueue {
 public:
  OutOfOrderQueue(const Segment& segment, Lane lane, Ordering* ordering);

  bool empty() const { return next_ == records_.size(); }
  // Only while not empty().
  const OrderKey& key() const { return records_[next_].key; }
  // Valid until the next call; a pad when the file has changed.
  Record read();
  void pop() { ++next_; }

 private:
  struct Late {
    OrderKey key;
    std::uint64_t offset = 0;
  };

  bool fetch(const SegmentFile::Reader& file, std::uint64_t offset, Record* record);

  const Segment& segment_;
  std::vector<Late> records_;  // sorted
  std::size_t next_ = 0;
  std::vector<unsigned char> bytes_;
};

}  // namespace umaskaudit::reader

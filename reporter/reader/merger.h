// Merger: all segments of a run as one stream of records, in merged order.
// Must never hold more than a buffer for each lane of a segment that is active at the current time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "reporter/reader/segment/segment.h"
#include "reporter/reader/stream.h"

namespace umaskaudit::reader {

struct MergedRecord {
  const Segment* segment = nullptr;
  Record record;
  std::uint64_t time_ns = 0;  // what it was ordered by
  FoldSpan span{};            // of a mask change
};

class Merger {
 public:
  explicit Merger(const std::vector<std::unique_ptr<Segment>>& segments,
                  Folds folds = Folds::folded);

  // False at the end. `merged` is valid until the next call.
  bool next(MergedRecord* merged);

 private:
  // The next record of a stream, stored beside it so that a comparison needs no other memory.
  struct Next {
    OrderKey key;
    std::uint64_t rank;  // breaks ties at one time: by segment and lane
    std::unique_ptr<SegmentStream> stream;
  };
  static bool later(const Next& a, const Next& b);

  void start_due();
  void start(const Segment& segment, Lane lane);
  void settle_front();

  std::vector<const Segment*> waiting_;  // latest first
  std::vector<Next> active_;             // a heap, the earliest event in front
  std::size_t window_;
  Folds folds_;
  bool popped_ = true;
};

}  // namespace umaskaudit::reader

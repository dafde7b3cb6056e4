// LiveBatch: copies of the records that one look at a growing run found, in the order in which they
// become events, and those that wait for a record that is still being written.
// Must never delay an event for long: the record that it waits for may have been lost.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "reporter/reader/merger.h"
#include "reporter/reader/ordering.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

class LiveBatch {
 public:
  // Copies an event's record.
  void add(const Segment& segment, const Record& record, const FoldSpan& span = {});
  bool empty() const { return items_.empty(); }
  std::size_t size() const { return items_.size(); }

  // Passes the records on in order and drops them. Those that are not ready() stay for later calls,
  // up to `patience` of them; 0: none stays.
  void release(unsigned patience, const std::function<void(const MergedRecord&)>& visit);

 private:
  struct Item {
    const Segment* segment = nullptr;
    std::vector<unsigned char> bytes;
    std::uint64_t offset = 0;
    FoldSpan span;
    unsigned age = 0;
    OrderKey key;
  };
  std::vector<Item> items_;
};

// True when everything that an event's record refers to is in its segment: stack and modules,
// paths, context, directory, and the mask changes that it names.
bool ready(const Segment& segment, const Record& record);

}  // namespace umaskaudit::reader

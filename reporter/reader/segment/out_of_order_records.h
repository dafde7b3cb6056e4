// OutOfOrderRecords: the records that are too far from their place in the order for a buffer to
// sort: a thread can lose its processor between its call and its record, and be overtaken by tens
// of thousands of records.
// Must never keep more than kMostLate offsets. Filled by the first pass; the second one fetches
// those records separately.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "reporter/reader/segment/mask_history.h"

namespace umaskaudit::reader {

class OutOfOrderRecords {
 public:
  // Call these in the file's order. For an event, by the clock:
  void see(std::uint64_t offset, std::uint64_t time_ns) { see(offset, time_ns, offset); }
  // The same where the order is not that of the file: `place` increases.
  void see(std::uint64_t place, std::uint64_t time_ns, std::uint64_t offset);
  // For a mask change:
  void see_change(std::uint64_t offset, std::uint32_t context, std::uint64_t change);
  // For an event that no change of `context` after `last_change` can precede:
  void see_snapshot(std::uint64_t offset, std::uint32_t context, std::uint64_t last_change);

  // Call once, with histories that are finished.
  void finish(const std::unordered_map<std::uint32_t, MaskHistory>& histories);
  // The same where no change was added: each event came with the time that it is ordered by.
  void finish();
  // In the order in which they have to be read.
  const std::vector<std::uint64_t>& offsets() const { return offsets_; }

 private:
  // The highest change number of a context, before the current block and up to now.
  struct Progress {
    std::uint64_t block = 0;
    std::uint64_t before = 0;
    std::uint64_t now = 0;
  };

  bool overtaken(std::uint64_t place, std::uint64_t time_ns) const;
  void add(std::uint64_t offset);

  std::vector<std::uint64_t> offsets_;
  // for each block, the time of the latest event up to its end
  std::vector<std::uint64_t> latest_ns_;
  std::unordered_map<std::uint32_t, Progress> progress_;
  std::uint32_t known_context_ = 0;
  Progress* known_progress_ = nullptr;
};

}  // namespace umaskaudit::reader

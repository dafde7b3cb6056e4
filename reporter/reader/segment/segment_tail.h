// The records of one segment as they are committed. A record may be committed long after others
// behind it: what lies between two records stays open as a gap, and is looked at again.
// Must never tell a record twice, nor wait for one that its writer will not finish. Called by the
// reader of a growing run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "reporter/reader/segment/record.h"
#include "reporter/reader/segment/scanner.h"

namespace umaskaudit::model {

class SegmentTail {
 public:
  using Visit = std::function<void(const Record&)>;

  // `begin`: offset of the first record.
  explicit SegmentTail(std::uint64_t begin) : position_(begin) {}

  // Tells what was committed before `end` since the last call, up to some `budget` bytes; returns
  // how many those were. What a thread committed before a record that is told is told as well,
  // maybe after it. `all`: looks into every gap, not only into some of them in turn.
  std::size_t read(const SegmentFile::Reader& file, std::uint64_t end, std::size_t budget, bool all,
                   const Visit& visit);
  // Behind the last record.
  std::uint64_t position() const { return position_; }
  bool has_gaps() const { return !gaps_.empty(); }

 private:
  std::size_t read_gaps(const SegmentFile::Reader& file, bool all, const Visit& visit);

  std::uint64_t position_;
  std::vector<Extent> gaps_;  // the unused end of each chunk among them
  std::size_t next_gap_ = 0;
};

}  // namespace umaskaudit::model

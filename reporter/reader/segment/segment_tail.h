// SegmentTail: reads the records of a growing segment as they are committed. A record may be
// committed long after others that follow it, so the space between two records stays listed as a
// gap, and is read again.
// Must never pass a record on twice, nor wait for one that its writer will not finish.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "reporter/reader/segment/record.h"
#include "reporter/reader/segment/scanner.h"

namespace umaskaudit::reader {

class SegmentTail {
 public:
  using Visit = std::function<void(const Record&)>;

  // `begin`: offset of the first record.
  explicit SegmentTail(std::uint64_t begin) : position_(begin) {}

  // Passes on what was committed before `end` since the last call, up to about `budget` bytes;
  // returns their size. Earlier records of the same thread are passed on too, maybe after it.
  // `all`: reads every gap, not only some of them in turn.
  std::size_t read(const SegmentFile::Reader& file, std::uint64_t end, std::size_t budget, bool all,
                   const Visit& visit);
  // Behind the last record.
  std::uint64_t position() const { return position_; }
  bool has_gaps() const { return !gaps_.empty(); }

 private:
  std::size_t read_gaps(const SegmentFile::Reader& file, bool all, const Visit& visit);

  std::uint64_t position_;
  std::vector<Extent> gaps_;  // including the unused end of each chunk
  std::size_t next_gap_ = 0;
};

}  // namespace umaskaudit::reader

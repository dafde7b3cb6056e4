#include "reporter/reader/segment/segment_tail.h"

#include <algorithm>

namespace umaskaudit::reader {
namespace {

// The number of gaps that one read() examines. Nearly all are the ends of chunks, which stay empty
// for ever; a gap that will be filled is among the latest.
constexpr std::size_t kLatestGaps = 8;
constexpr std::size_t kTurn = 8;

}  // namespace

std::size_t SegmentTail::read(const SegmentFile::Reader& file, std::uint64_t end,
                              std::size_t budget, bool all, const Visit& visit) {
  std::size_t passed = read_gaps(file, all, visit);
  if (position_ >= end) return passed;
  Scanner scanner(file, position_, end);
  Record record;
  const std::uint64_t begin = position_;
  while (passed < budget && scanner.next(&record)) {
    if (record.offset > position_) gaps_.push_back({position_, record.offset});
    position_ = record.offset + record.head.length;
    passed += record.head.length;
    visit(record);
  }
  // What a record depends on, such as its thread's name, was committed before it, but maybe after
  // we had passed that place.
  if (position_ != begin) passed += read_gaps(file, all, visit);
  return passed;
}

std::size_t SegmentTail::read_gaps(const SegmentFile::Reader& file, bool all, const Visit& visit) {
  std::size_t passed = 0;
  std::vector<Extent> left;
  const std::size_t count = gaps_.size();
  if (next_gap_ >= count) next_gap_ = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const bool turn = i >= next_gap_ && i < next_gap_ + kTurn;
    std::uint64_t at = gaps_[i].begin;
    if (all || turn || i + kLatestGaps >= count) {
      Scanner scanner(file, at, gaps_[i].end);
      Record record;
      while (scanner.next(&record)) {
        if (record.offset > at) left.push_back({at, record.offset});
        at = record.offset + record.head.length;
        passed += record.head.length;
        visit(record);
      }
    }
    if (at < gaps_[i].end) left.push_back({at, gaps_[i].end});
  }
  next_gap_ += kTurn;
  gaps_ = std::move(left);
  return passed;
}

}  // namespace umaskaudit::reader

#include "reporter/reader/out_of_order_queue.h"

#include <algorithm>

namespace umaskaudit::reader {
namespace {

// Most records are smaller: one read(2) each.
constexpr std::size_t kGuess = 512;

}  // namespace

OutOfOrderQueue::OutOfOrderQueue(const Segment& segment, Lane lane, Ordering* ordering)
    : segment_(segment) {
  const std::vector<std::uint64_t>& offsets = segment.of(lane).late.offsets();
  if (offsets.empty()) return;
  bytes_.resize(trace::kMaxRecord);
  const SegmentFile::Reader file = segment.file.reader();
  Record record;
  for (const std::uint64_t offset : offsets) {
    if (fetch(file, offset, &record)) records_.push_back({ordering->key_of(record), offset});
  }
  std::stable_sort(records_.begin(), records_.end(),
                   [](const Late& a, const Late& b) { return a.key < b.key; });
}

bool OutOfOrderQueue::fetch(const SegmentFile::Reader& file, std::uint64_t offset, Record* record) {
  std::size_t got = file.read(offset, bytes_.data(), kGuess);
  const std::uint32_t length = length_at(bytes_.data(), got);
  if (length > got && possible_length(length)) {
    got += file.read(offset + got, &bytes_[got], length - got);
  }
  return whole_record(bytes_.data(), got, offset, record);
}

Record OutOfOrderQueue::read() {
  Record record;
  if (!fetch(segment_.file.reader(), records_[next_].offset, &record)) record = Record{};
  return record;
}

}  // namespace umaskaudit::reader

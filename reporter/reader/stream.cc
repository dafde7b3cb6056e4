// The records in the extents were valid when the run was opened; the file may have changed since,
// so lengths are checked again. Checksums are not: that takes a quarter of a walk, and a changed
// record could only give a wrong event, not a wrong access.
#include "reporter/reader/stream.h"

#include <algorithm>

#include "reporter/reader/segment/record_types.h"

namespace umaskaudit::reader {
namespace {

std::size_t data_size(const std::vector<Extent>& extents, std::size_t most) {
  std::uint64_t size = 0;
  for (const Extent& extent : extents) {
    size += extent.end - extent.begin;
    if (size >= most) return most;
  }
  return static_cast<std::size_t>(size);
}

}  // namespace

SegmentStream::SegmentStream(const Segment& segment, Lane lane, std::size_t window, Folds folds)
    : segment_(segment),
      lane_(segment.of(lane)),
      ordering_(segment),
      late_(segment, lane, &ordering_),
      folds_(segment, lane == segment.lane_of_folds(), folds),
      buffer_(data_size(lane_.extents, window)) {
  if (!lane_.extents.empty()) position_ = lane_.extents.front().begin;
  look_ahead();
}

void SegmentStream::look_ahead() {
  while (pending_bytes_ <= buffer_.size() / 2 && extent_ < lane_.extents.size()) refill();
}

Record SegmentStream::record() {
  if (fold_is_next()) {
    const Record folded = folds_.read();
    span_ = folds_.span();
    return folded;
  }
  span_ = {};
  if (late_is_next()) return late_.read();
  const Pending& front = pending_[head_];
  Record record;
  read_record(&buffer_[front.at], front.offset, &record);
  return record;
}

void SegmentStream::pop() {
  if (fold_is_next()) return folds_.pop();
  if (late_is_next()) {
    late_.pop();
    return;
  }
  pending_bytes_ -= length_at(&buffer_[pending_[head_].at], sizeof(trace::RecordHeader));
  ++head_;
  look_ahead();
}

// Moves the unread part to the front of the buffer.
void SegmentStream::keep_pending() {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
  if (spare_.size() < buffer_.size()) spare_.resize(buffer_.size());
  std::size_t used = 0;
  for (Pending& pending : pending_) {
    const std::uint32_t length = length_at(&buffer_[pending.at], sizeof(trace::RecordHeader));
    std::memcpy(&spare_[used], &buffer_[pending.at], length);
    pending.at = used;
    used += length;
  }
  buffer_.swap(spare_);
}

// Reads until the buffer is full or the segment at its end.
void SegmentStream::refill() {
  const std::vector<Extent>& extents = lane_.extents;
  keep_pending();
  const SegmentFile::Reader file = segment_.file.reader();
  std::size_t used = pending_bytes_;
  while (extent_ < extents.size() && used < buffer_.size()) {
    const std::uint64_t left = extents[extent_].end - position_;
    const auto want =
        static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer_.size() - used));
    std::size_t got = file.read(position_, &buffer_[used], want);
    if (!segment_.layout.unchanged(file, position_)) got = 0;  // dropped since it was listed
    const std::size_t parsed = parse(used, used + got, position_);
    used += parsed;
    position_ += parsed;
    // A record cut by the buffer's end is read again next time. If the buffer had room for any
    // record, the file has changed.
    const bool stuck = parsed == 0 && want >= trace::kMaxRecord;
    if (parsed < left && got == want && want < left && !stuck) return;
    if (++extent_ < extents.size()) position_ = extents[extent_].begin;
  }
}

// Parses the whole records between `begin` and `end` of the buffer; returns their size.
std::size_t SegmentStream::parse(std::size_t begin, std::size_t end, std::uint64_t offset) {
  Record record;
  std::size_t at = begin;
  while (framed_record(buffer_.data() + at, end - at, offset + (at - begin), &record)) {
    if (is_event(record.type()) && !is_late(record.offset)) insert(record, at);
    at += record.head.length;
  }
  return at - begin;
}

// Positions rise.
bool SegmentStream::is_late(std::uint64_t offset) {
  const std::vector<std::uint64_t>& late = lane_.late.offsets();
  const Layout& layout = segment_.layout;
  while (late_met_ < late.size() && layout.place(late[late_met_]) < layout.place(offset))
    ++late_met_;
  return late_met_ < late.size() && late[late_met_] == offset;
}

void SegmentStream::insert(const Record& record, std::size_t at) {
  pending_.push_back({ordering_.key_of(record), record.offset, at});
  pending_bytes_ += record.head.length;
  // Nearly always in place already; equal keys keep the order of the file.
  for (std::size_t i = pending_.size() - 1; i > head_; --i) {
    if (pending_[i - 1].key <= pending_[i].key) break;
    std::swap(pending_[i - 1], pending_[i]);
  }
}

}  // namespace umaskaudit::reader

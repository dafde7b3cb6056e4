// See stream.h. The extents were checked when the run was opened; checksums are taken again here,
// because the file may have changed since.
#include "reporter/model/stream.h"

#include <algorithm>

#include "preload/trace/checksum.h"

namespace umaskaudit::model {
namespace {

std::size_t data_size(const std::vector<Extent>& extents, std::size_t most) {
  std::uint64_t size = 0;
  for (const Extent& extent : extents) {
    size += extent.end - extent.begin;
    if (size >= most) return most;
  }
  return static_cast<std::size_t>(size);
}

std::uint32_t length_at(const unsigned char* bytes) {
  trace::RecordHeader head;
  std::memcpy(&head, bytes, sizeof head);
  return head.length;
}

}  // namespace

SegmentStream::SegmentStream(const Segment& segment, std::size_t window)
    : segment_(segment), buffer_(data_size(segment.scan.extents, window)) {
  if (!segment.scan.extents.empty()) position_ = segment.scan.extents.front().begin;
  look_ahead();
}

void SegmentStream::look_ahead() {
  while (pending_bytes_ <= buffer_.size() / 2 && extent_ < segment_.scan.extents.size()) refill();
}

Record SegmentStream::record() const {
  const Pending& front = pending_[head_];
  Record record;
  std::memcpy(&record.head, &buffer_[front.at], sizeof record.head);
  record.offset = front.offset;
  record.payload = &buffer_[front.at] + sizeof record.head;
  record.payload_length = record.head.length - static_cast<std::uint32_t>(sizeof record.head);
  return record;
}

void SegmentStream::pop() {
  pending_bytes_ -= length_at(&buffer_[pending_[head_].at]);
  ++head_;
  look_ahead();
}

// Moves what is still to come to the front of the buffer.
void SegmentStream::keep_pending() {
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(head_));
  head_ = 0;
  if (spare_.size() < buffer_.size()) spare_.resize(buffer_.size());
  std::size_t used = 0;
  for (Pending& pending : pending_) {
    const std::uint32_t length = length_at(&buffer_[pending.at]);
    std::memcpy(&spare_[used], &buffer_[pending.at], length);
    pending.at = used;
    used += length;
  }
  buffer_.swap(spare_);
}

// Reads on until the buffer is full or the segment at its end.
void SegmentStream::refill() {
  const std::vector<Extent>& extents = segment_.scan.extents;
  keep_pending();
  const SegmentFile::Reader file = segment_.file.reader();
  std::size_t used = pending_bytes_;
  while (extent_ < extents.size() && used < buffer_.size()) {
    const std::uint64_t left = extents[extent_].end - position_;
    const auto want =
        static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer_.size() - used));
    const std::size_t got = file.read(position_, &buffer_[used], want);
    const std::size_t parsed = parse(used, used + got, position_);
    used += parsed;
    position_ += parsed;
    // Cut by the buffer's end: read that record again next time. Where there was room for any
    // record, the file is not what it was when it was opened.
    const bool stuck = parsed == 0 && want >= trace::kMaxRecord;
    if (parsed < left && got == want && want < left && !stuck) return;
    if (++extent_ < extents.size()) position_ = extents[extent_].begin;
  }
}

// Takes the whole records between `begin` and `end` of the buffer; returns their bytes.
std::size_t SegmentStream::parse(std::size_t begin, std::size_t end, std::uint64_t offset) {
  Record record;
  std::size_t at = begin;
  while (end - at >= sizeof record.head) {
    std::memcpy(&record.head, &buffer_[at], sizeof record.head);
    const std::uint32_t length = record.head.length;
    if (!possible_length(length) || length > end - at) break;
    record.offset = offset + (at - begin);
    if (trace::record_checksum(&buffer_[at], length, record.offset) != record.head.commit) break;
    record.payload = &buffer_[at] + sizeof record.head;
    record.payload_length = length - static_cast<std::uint32_t>(sizeof record.head);
    if (is_event(record.type())) insert(record, at);
    at += length;
  }
  return at - begin;
}

void SegmentStream::insert(const Record& record, std::size_t at) {
  pending_.push_back({key_of(record), record.offset, at});
  pending_bytes_ += record.head.length;
  // Nearly always in place already; equal keys stay in the file's order.
  for (std::size_t i = pending_.size() - 1; i > head_; --i) {
    if (pending_[i - 1].key <= pending_[i].key) break;
    std::swap(pending_[i - 1], pending_[i]);
  }
}

OrderKey SegmentStream::key_of(const Record& record) {
  switch (record.type()) {
    case trace::RecordType::umask: {
      trace::Umask umask{};
      if (!fixed_part(record, &umask)) break;
      const MaskHistory* changes = history(umask.context);
      const MaskChange* own =
          changes == nullptr ? nullptr : changes->find(umask.change, record.offset);
      if (own != nullptr) return {own->time_ns, std::uint64_t{own->id} * 2};
      break;
    }
    case trace::RecordType::create: {
      trace::Create create{};
      if (!fixed_part(record, &create)) break;
      const bool busy = (record.head.flags & trace::kBusy) != 0;
      return among_changes(record, create.context, create.change_after, busy ? 1 : 0);
    }
    case trace::RecordType::exec: {
      trace::Exec exec{};
      if (!fixed_part(record, &exec)) break;
      return among_changes(record, exec.context, exec.change, 0);
    }
    case trace::RecordType::fork: {
      trace::Fork fork{};
      if (!fixed_part(record, &fork)) break;
      return among_changes(record, fork.context, fork.change, 0);
    }
    case trace::RecordType::pad:
    case trace::RecordType::process:
    case trace::RecordType::thread:
    case trace::RecordType::module:
    case trace::RecordType::stack:
    case trace::RecordType::path:
    case trace::RecordType::context:
    case trace::RecordType::directory:
    case trace::RecordType::blind_spot:
    case trace::RecordType::note:
    case trace::RecordType::thread_create:
    case trace::RecordType::chmod:
    case trace::RecordType::rename:
    case trace::RecordType::call_names:
    case trace::RecordType::exec_failed:
      break;
  }
  return {record.head.time_ns, 0};
}

// Between mask change `change` and the one after it, whatever the clock says: a thread can lose the
// processor between its call and its look at the clock. `reach`: changes that may have counted too.
OrderKey SegmentStream::among_changes(const Record& record, std::uint32_t context,
                                      std::uint64_t change, std::uint64_t reach) {
  OrderKey key{record.head.time_ns, 0};
  const MaskHistory* changes = history(context);
  if (changes == nullptr) return key;
  if (const MaskChange* next = changes->after(change + reach);
      next != nullptr && key.time_ns >= next->time_ns) {
    key.time_ns = next->time_ns - 1;
  }
  if (const MaskChange* last = changes->find(change); last != nullptr) {
    key.time_ns = std::max(key.time_ns, last->time_ns);
    if (key.time_ns == last->time_ns) key.tie = std::uint64_t{last->id} * 2 + 1;
  }
  return key;
}

const MaskHistory* SegmentStream::history(std::uint32_t context) {
  if (context != known_context_ || context == 0) {
    const auto found = segment_.histories.find(context);
    known_history_ = found == segment_.histories.end() ? nullptr : &found->second;
    known_context_ = context;
  }
  return known_history_;
}

}  // namespace umaskaudit::model

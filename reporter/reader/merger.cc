// A binary heap of streams; a segment is added when the merge reaches its first event.
#include "reporter/reader/merger.h"

#include <algorithm>
#include <tuple>

namespace umaskaudit::reader {
namespace {

// The size of all buffers together, for any number of segments, as far as kLeastWindow allows.
constexpr std::size_t kBuffers = std::size_t{32} << 20;
// Twice the second-level cache: records further out of order have a queue of their own.
constexpr std::size_t kMostWindow = std::size_t{512} << 10;

}  // namespace

bool Merger::later(const Next& a, const Next& b) {
  return std::tie(a.key.time_ns, a.key.tie, a.rank) > std::tie(b.key.time_ns, b.key.tie, b.rank);
}

Merger::Merger(const std::vector<std::unique_ptr<Segment>>& segments, Folds folds) : folds_(folds) {
  for (const auto& segment : segments) {
    if (segment->events != 0) waiting_.push_back(segment.get());
  }
  const auto latest_first = [](const Segment* a, const Segment* b) {
    return std::tie(a->first_ns, a->index) > std::tie(b->first_ns, b->index);
  };
  std::sort(waiting_.begin(), waiting_.end(), latest_first);
  std::size_t streams = 0;
  for (const Segment* segment : waiting_) streams += segment->layout.has_ring() ? kLanes : 1;
  const std::size_t share = kBuffers / std::max<std::size_t>(streams, 1);
  window_ = std::clamp(share, kLeastWindow, kMostWindow);
}

void Merger::start_due() {
  while (!waiting_.empty() &&
         (active_.empty() || waiting_.back()->first_ns <= active_.front().key.time_ns)) {
    const Segment& segment = *waiting_.back();
    waiting_.pop_back();
    start(segment, Lane::kept);
    if (!segment.layout.has_ring()) continue;
    for (const Lane lane : {Lane::events, Lane::changes, Lane::other}) start(segment, lane);
  }
}

void Merger::start(const Segment& segment, Lane lane) {
  auto stream = std::make_unique<SegmentStream>(segment, lane, window_, folds_);
  if (stream->done()) return;
  const OrderKey key = stream->key();
  const std::uint64_t rank = std::uint64_t{segment.index} * kLanes + static_cast<unsigned>(lane);
  active_.push_back({key, rank, std::move(stream)});
  std::push_heap(active_.begin(), active_.end(), later);
}

// Restores the heap after the front stream has advanced.
void Merger::settle_front() {
  if (active_.front().stream->done()) {
    active_.front() = std::move(active_.back());
    active_.pop_back();
  } else {
    active_.front().key = active_.front().stream->key();
  }
  std::size_t at = 0;
  for (;;) {
    std::size_t child = 2 * at + 1;
    if (child >= active_.size()) return;
    if (child + 1 < active_.size() && later(active_[child], active_[child + 1])) ++child;
    if (!later(active_[at], active_[child])) return;
    std::swap(active_[at], active_[child]);
    at = child;
  }
}

bool Merger::next(MergedRecord* merged) {
  if (!popped_) {
    active_.front().stream->pop();
    popped_ = true;
    settle_front();
  }
  start_due();
  if (active_.empty()) return false;
  SegmentStream& front = *active_.front().stream;
  merged->segment = &front.segment();
  merged->record = front.record();
  merged->span = front.span();
  merged->time_ns = active_.front().key.time_ns;
  popped_ = false;
  return true;
}

}  // namespace umaskaudit::reader

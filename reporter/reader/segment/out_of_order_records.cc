// Lateness is measured in blocks of the file, each half as large as a stream's buffer: records
// overtaken within two blocks are sorted there.
#include "reporter/reader/segment/out_of_order_records.h"

#include <algorithm>

#include "preload/trace/format.h"

namespace umaskaudit::reader {
namespace {

constexpr std::uint64_t kBlock = trace::kMaxRecord / 2;
// Only a forged or badly torn file has more; its order is then not repaired further.
constexpr std::size_t kMostLate = std::size_t{1} << 18;

}  // namespace

// True when an event that ends at least one whole block before is later by the clock.
bool OutOfOrderRecords::overtaken(std::uint64_t place, std::uint64_t time_ns) const {
  const std::uint64_t block = place / kBlock;
  return block >= 2 && latest_ns_.size() > block - 2 && latest_ns_[block - 2] > time_ns;
}

void OutOfOrderRecords::add(std::uint64_t offset) {
  if (offsets_.size() < kMostLate) offsets_.push_back(offset);
}

void OutOfOrderRecords::see(std::uint64_t place, std::uint64_t time_ns, std::uint64_t offset) {
  const std::uint64_t block = place / kBlock;
  const std::uint64_t latest = latest_ns_.empty() ? 0 : latest_ns_.back();
  while (latest_ns_.size() <= block) latest_ns_.push_back(latest);
  latest_ns_.back() = std::max(latest_ns_.back(), time_ns);
  if (overtaken(place, time_ns)) add(offset);
}

void OutOfOrderRecords::see_change(std::uint64_t offset, std::uint32_t context,
                                   std::uint64_t change) {
  if (known_progress_ == nullptr || known_context_ != context) {
    known_context_ = context;
    known_progress_ = &progress_[context];
  }
  Progress& progress = *known_progress_;
  const std::uint64_t block = offset / kBlock;
  if (block != progress.block) {
    progress.before = progress.now;
    progress.block = block;
  }
  progress.now = std::max(progress.now, change);
}

void OutOfOrderRecords::see_snapshot(std::uint64_t offset, std::uint32_t context,
                                     std::uint64_t last_change) {
  const auto known = progress_.find(context);
  if (known == progress_.end()) return;
  const Progress& progress = known->second;
  const std::uint64_t seen = offset / kBlock == progress.block ? progress.before : progress.now;
  if (seen > last_change) add(offset);
}

void OutOfOrderRecords::finish(const std::unordered_map<std::uint32_t, MaskHistory>& histories) {
  for (const auto& [context, history] : histories) {
    for (const MaskChange& change : history.changes()) {
      if ((change.folded & kOfFold) != 0) continue;  // queued as parts of their fold
      const std::uint64_t offset = std::uint64_t{change.where} * trace::kRecordAlign;
      if (overtaken(offset, change.time_ns)) add(offset);
    }
  }
  std::sort(offsets_.begin(), offsets_.end());
  offsets_.erase(std::unique(offsets_.begin(), offsets_.end()), offsets_.end());
  finish();
}

void OutOfOrderRecords::finish() {
  latest_ns_ = {};
  progress_ = {};
  known_progress_ = nullptr;
}

}  // namespace umaskaudit::reader

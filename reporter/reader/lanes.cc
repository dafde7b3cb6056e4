#include "reporter/reader/lanes.h"

#include <algorithm>

#include "reporter/reader/ordering.h"
#include "reporter/reader/segment/record_types.h"

namespace umaskaudit::reader {

void read_layout(const SegmentFile::Reader& file, Segment* segment) {
  static constexpr trace::SegmentHeader kNone{};
  const trace::SegmentHeader& header = segment->header_damaged ? kNone : segment->header;
  segment->layout = Layout(file, header, first_record(*segment));
}

void read_totals(const SegmentFile::Reader& file, Segment* segment) {
  segment->ring = {};
  segment->totals.clear();
  const Layout& layout = segment->layout;
  if (layout.has_ring()) file.read(layout.ring(), &segment->ring, sizeof segment->ring);
  if (layout.totals() == 0) return;
  std::vector<trace::Total> cells(trace::kTotals);
  const std::size_t got =
      file.read(layout.totals(), cells.data(), cells.size() * sizeof(trace::Total));
  cells.resize(got / sizeof(trace::Total));
  std::erase_if(cells, [](const trace::Total& cell) { return cell.key == 0 || cell.count == 0; });
  segment->totals = std::move(cells);
}

void add_part(const ScanResult& result, Lane lane, Segment* segment) {
  ScanResult& all = segment->scan;
  all.records += result.records;
  all.damages += result.damages;
  all.damaged_bytes += result.damaged_bytes;
  all.unfinished += result.unfinished;
  all.searched += result.searched;
  std::vector<Extent>& extents = segment->of(lane).extents;
  extents.insert(extents.end(), result.extents.begin(), result.extents.end());
}

void find_late(SegmentFile::Reader* file, Segment* segment) {
  if (!segment->layout.has_ring()) return;
  Ordering ordering(*segment);
  Record record;
  for (LaneRecords& lane : segment->lanes) {
    if (lane.extents.empty()) continue;
    const std::uint64_t lane_begin = segment->layout.place(lane.extents.front().begin);
    for (const Extent& extent : lane.extents) {
      file->hold(extent.begin, extent.end);
      if (!segment->layout.unchanged(*file, extent.begin)) continue;
      Scanner scanner(*file, extent.begin, extent.end);
      while (scanner.next(&record)) {
        if (!is_event(record.type())) continue;
        const std::uint64_t place = segment->layout.place(record.offset) - lane_begin;
        lane.late.see(place, ordering.key_of(record).time_ns, record.offset);
      }
    }
    lane.late.finish();
  }
}

}  // namespace umaskaudit::reader

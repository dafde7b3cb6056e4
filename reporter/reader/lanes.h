// The first pass over a segment's records, lane by lane, and what its control regions say.
// Must never tell a record of a chunk that was taken for others meanwhile, nor count that as
// damage. Called when a run is opened, and at the end of one that was followed.
#pragma once

#include "reporter/reader/segment/scanner.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::model {

// Where the records lie by now.
void read_layout(const SegmentFile::Reader& file, Segment* segment);
// What was dropped by now. After the records: an event is counted twice then rather than missing.
void read_totals(const SegmentFile::Reader& file, Segment* segment);

// Adds what one part was found to hold.
void add_part(const ScanResult& result, Lane lane, Segment* segment);

// Calls visit(record) for each record that can be believed; fills in `scan` and the lanes' extents.
template <typename Visit>
void scan_lanes(SegmentFile::Reader* file, Segment* segment, const Visit& visit) {
  segment->scan = ScanResult();
  for (LaneRecords& lane : segment->lanes) lane.extents.clear();
  Record record;
  for (Part part : segment->layout.parts()) {
    if (!segment->layout.hold(file, &part)) continue;
    Scanner scanner(*file, part.begin, part.end);
    while (scanner.next(&record)) visit(record);
    add_part(scanner.result(), part.lane, segment);
  }
}

// Finds the records that are out of order in a lane. Only for a segment with a ring, and after
// finish(): each event is looked at again, with what it is ordered by.
void find_late(SegmentFile::Reader* file, Segment* segment);

}  // namespace umaskaudit::model

// The first pass over a segment, lane by lane, including its control regions.
// Must never use a record of a chunk that was reused meanwhile, nor count that as damage. Called
// when a run is opened, and at the end of a followed run.
#pragma once

#include "reporter/reader/segment/scanner.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

// Lists where the records are at the moment.
void read_layout(const SegmentFile::Reader& file, Segment* segment);
// Reads what was dropped so far. After the records, so that an event is counted twice rather than
// missed.
void read_totals(const SegmentFile::Reader& file, Segment* segment);

// Adds the scan result of one part.
void add_part(const ScanResult& result, Lane lane, Segment* segment);

// Calls visit(record) for each valid record; fills in `scan` and the lanes' extents.
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

// Finds the records that are out of order in a lane. Only for a segment with a ring, after
// finish(): each event is read again, with the key that it is ordered by.
void find_late(SegmentFile::Reader* file, Segment* segment);

}  // namespace umaskaudit::reader

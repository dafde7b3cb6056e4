// Counts events that have no record, by kind and call site, in trace::Total cells.
// Must never block, allocate or fail: an event without a free cell is counted in the last one.
// Called by ring.cc for dropped records, and for mask changes that have no room.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// `cells`: trace::kTotals of them. Several threads, and processes, may add at once.

// A committed record, which is not changed. Frees the cell of `header` that counts the repeats of a
// creation, and adds its count.
void add_to_totals(trace::Total* cells, trace::SegmentHeader& header,
                   const trace::RecordHeader& record);
// A mask change without a record.
void add_change_to_totals(trace::Total* cells, std::uint64_t time_ns, const trace::Umask& change);

// The creation in a record; null: another type.
const trace::Create* creation_of(const trace::RecordHeader& record);
// The number of mask changes in a record; 0: another type.
std::uint64_t changes_of(const trace::RecordHeader& record);

}  // namespace umaskaudit::shim

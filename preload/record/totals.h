// Counts of events by kind and call site, of which there is no record: trace::Total.
// Must never block, allocate or fail: what finds no cell is counted among the others.
// Called by ring.cc for what it drops, and for mask changes that find no room.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// `cells`: trace::kTotals of them. Several threads, and processes, may add at once.

// A committed record, which is not changed. The cell of `header` that counts repeats of a creation
// is freed, and what it says counted.
void add_to_totals(trace::Total* cells, trace::SegmentHeader& header,
                   const trace::RecordHeader& record);
// A mask change that has no record.
void add_change_to_totals(trace::Total* cells, std::uint64_t time_ns, const trace::Umask& change);

// Null: the record is no creation.
const trace::Create* creation_of(const trace::RecordHeader& record);
// How many mask changes a record stands for; 0: it is of something else.
std::uint64_t changes_of(const trace::RecordHeader& record);

}  // namespace umaskaudit::shim

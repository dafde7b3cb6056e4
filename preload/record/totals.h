// Counts of events by kind and call site, of which there is no record: trace::Total.
// Must never block, allocate or fail: what finds no cell is counted among the others.
// Called by ring.cc for what it drops, and for mask changes that find no room.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// What the cells lie in, once it is known; else nothing is counted.
struct TotalsPage {
  trace::Total* cells = nullptr;  // trace::kTotals of them
  trace::SegmentHeader* header = nullptr;
};

// A committed record, which is not changed. The cell that counts repeats of a creation is freed,
// and what it says counted. Several threads may add at once.
void add_to_totals(const TotalsPage& page, const trace::RecordHeader& record);

// Null: the record is no creation.
const trace::Create* creation_of(const trace::RecordHeader& record);
// How many mask changes a record stands for; 0: it is of something else.
std::uint64_t changes_of(const trace::RecordHeader& record);

}  // namespace umaskaudit::shim

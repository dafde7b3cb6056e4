// Reads the counts of dropped events from the totals of all segments and from run.state.
// Must never use a count for anything but display: no checksum protects these cells.
#pragma once

#include <memory>
#include <vector>

#include "reporter/events/dropped.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

// `state`: zeroes where the run has none.
Dropped sum_dropped(const std::vector<std::unique_ptr<Segment>>& segments,
                    const trace::RunState& state);

}  // namespace umaskaudit::reader

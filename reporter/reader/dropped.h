// What the totals of all segments and the run's state say of events that were dropped.
// Must never believe a count to be more than a count: nothing protects these cells.
// Called when a run is opened.
#pragma once

#include <memory>
#include <vector>

#include "reporter/events/dropped.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::model {

// `state`: zeroes where the run has none.
Dropped sum_dropped(const std::vector<std::unique_ptr<Segment>>& segments,
                    const trace::RunState& state);

}  // namespace umaskaudit::model

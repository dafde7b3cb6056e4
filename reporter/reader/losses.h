// Puts into words what a run could not keep, read back or follow.
// Must never hide a loss: whatever is counted has a line. Called when a run is opened.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "reporter/reader/context_tree.h"
#include "reporter/reader/run.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::model {

// What the run directory says beside its segments.
struct DirectoryFacts {
  bool has_state = false;
  trace::RunState state{};
  std::vector<LossEvent> unreadable;  // segments that could not be used at all
};

// Counts and words for the whole run. Each LossEvent is dated `end_ns`.
Completeness assess(const std::vector<std::unique_ptr<Segment>>& segments,
                    const DirectoryFacts& directory, std::uint64_t end_ns);

// Execs that neither failed, nor led to an image that recorded, nor were explained by the shim, nor
// by a segment that keep=latest took away since. Ordered by time.
std::vector<BlindSpotEvent> unfollowed_execs(const std::vector<std::unique_ptr<Segment>>& segments,
                                             const ContextTree& tree,
                                             const DirectoryFacts& directory);

// Fills in what may have been created behind all that; `all` has the losses.
void assess_hidden(const std::vector<std::unique_ptr<Segment>>& segments, const ContextTree& tree,
                   bool unfollowed, Completeness* all);

// A loss that belongs to one segment; count 0 means "it happened".
LossEvent segment_loss(const char* reason, std::uint64_t count, const std::string& segment,
                       const std::string& detail);

}  // namespace umaskaudit::model

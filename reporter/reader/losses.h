// Describes what a run could not keep, read back or follow.
// Must never hide a loss: every count has a line. Called when a run is opened.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "reporter/reader/context_tree.h"
#include "reporter/reader/run.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

// What the run directory says in addition to its segments.
struct DirectoryFacts {
  bool has_state = false;
  trace::RunState state{};
  std::vector<LossEvent> unreadable;  // segments that could not be used at all
};

// Counts and descriptions for the whole run. Each LossEvent has the time `end_ns`.
Completeness assess(const std::vector<std::unique_ptr<Segment>>& segments,
                    const DirectoryFacts& directory, std::uint64_t end_ns);

// Execs that did not fail, were not followed by a recorded image, and are explained neither by a
// blind spot nor by a segment that keep=latest removed. Ordered by time.
std::vector<BlindSpotEvent> unfollowed_execs(const std::vector<std::unique_ptr<Segment>>& segments,
                                             const ContextTree& tree,
                                             const DirectoryFacts& directory);

// Sets what may have been created unseen; `all` has the losses.
void assess_hidden(const std::vector<std::unique_ptr<Segment>>& segments, const ContextTree& tree,
                   bool unfollowed, Completeness* all);

// A loss that belongs to one segment; count 0 means "it happened".
LossEvent segment_loss(const char* reason, std::uint64_t count, const std::string& segment,
                       const std::string& detail);

}  // namespace umaskaudit::reader

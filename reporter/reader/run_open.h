// Finds and opens what lies in a run directory.
// Must never go below the directory, follow a link in it, or write. Called by Run::open.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/reader/losses.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::model {

struct RunFiles {
  std::vector<std::unique_ptr<Segment>> segments;  // header read, records not yet; index = position
  DirectoryFacts facts;
};

// `path`: a run directory or one segment file.
Result<RunFiles> open_run(const std::string& path);

// The pieces of it, for a run that grows. `directory` is open for reading.
std::vector<std::string> segment_names(const Descriptor& directory);
// One segment, its header read; null when it cannot be used: `why` is then the loss that says so.
std::unique_ptr<Segment> open_segment(const std::shared_ptr<const Descriptor>& directory,
                                      const std::string& name, std::uint32_t index, LossEvent* why);
// Reads the header again: its counters move while the program runs.
void read_header_again(Segment* segment);
void read_state(const std::shared_ptr<const Descriptor>& directory, DirectoryFacts* facts);
// `error`: errno.
Error cannot_open(const std::string& path, int error);

}  // namespace umaskaudit::model

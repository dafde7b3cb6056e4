// Finds and opens the files of a run directory.
// Must never go below the directory, follow a link in it, or write.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/reader/losses.h"
#include "reporter/reader/segment/segment.h"

namespace umaskaudit::reader {

struct RunFiles {
  std::vector<std::unique_ptr<Segment>> segments;  // header read, records not yet; index = position
  DirectoryFacts facts;
};

// `path`: a run directory or one segment file.
Result<RunFiles> open_run(const std::string& path);

// The steps of it, for a growing run. `directory` is open for reading.
std::vector<std::string> segment_names(const Descriptor& directory);
// Opens one segment and reads its header; null when it cannot be used: `why` is the loss for it.
std::unique_ptr<Segment> open_segment(const std::shared_ptr<const Descriptor>& directory,
                                      const std::string& name, std::uint32_t index, LossEvent* why);
// Reads the header again: its counters change while the program runs.
void read_header_again(Segment* segment);
void read_state(const std::shared_ptr<const Descriptor>& directory, DirectoryFacts* facts);
// `error`: errno.
Error cannot_open(const std::string& path, int error);

}  // namespace umaskaudit::reader

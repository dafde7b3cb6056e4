// Finds and opens what lies in a run directory.
// Must never go below the directory, follow a link in it, or write. Called by Run::open.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/model/losses.h"
#include "reporter/model/segment.h"

namespace umaskaudit::model {

struct OpenedRun {
  std::vector<std::unique_ptr<Segment>> segments;  // header read, records not yet; index = position
  DirectoryFacts facts;
};

// `path`: a run directory or one segment file.
Result<OpenedRun> open_run(const std::string& path);

}  // namespace umaskaudit::model

// The symbolic links of this machine, for the directories of a run that was recorded on it.
// Must never be asked about a run of another machine: its paths mean something else here.
#pragma once

#include "reporter/objects/name_tree.h"
#include "reporter/reader/run.h"

namespace umaskaudit {

// readlink(2) of a directory's name. Null where the run was not recorded since this machine was
// started: what its paths lead to cannot be known.
NameTree::Links local_links(const Run& run);

}  // namespace umaskaudit

// The object that a user names by a path on the command line.
// Must never open it: stat(2) and readlink(2) are all that it is looked at by.
#pragma once

#include <string>

#include "reporter/analysis/object_history.h"
#include "reporter/analysis/unrecorded_files.h"

namespace umaskaudit::commands {

// `path` made absolute, without "." and "..", symbolic links as they are, and what is there on
// disk.
analysis::ObjectQuery query_of(const std::string& path, const reader::Run& run);

// The one of `objects` that `query` is about, by its name or by its numbers; null: none.
const UnrecordedObject* find_unrecorded(const analysis::UnrecordedObjects& objects,
                                        const analysis::ObjectQuery& query);

}  // namespace umaskaudit::commands

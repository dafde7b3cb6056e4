// What find_unrecorded() found where the run was recorded, kept beside a packed run.
// Must never be mixed with what lies under the same paths here.
// Written by `pack`, read by whoever opens the run.
#pragma once

#include <optional>
#include <string>

#include "reporter/analysis/unrecorded_files.h"

namespace umaskaudit {

inline constexpr char kSavedUnrecordedFile[] = "appeared.json";

std::string saved_unrecorded_text(const UnrecordedObjects& found);
// Nothing: there is no such file in the directory, or it is damaged.
std::optional<UnrecordedObjects> read_saved_unrecorded(const std::string& directory);

}  // namespace umaskaudit

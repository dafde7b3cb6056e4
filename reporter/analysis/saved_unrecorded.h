// Saves the result of find_unrecorded() beside a packed run, and loads it.
// Must never be merged with files under the same paths on this machine.
#pragma once

#include <optional>
#include <string>

#include "reporter/analysis/unrecorded_files.h"

namespace umaskaudit::analysis {

inline constexpr char kSavedUnrecordedFile[] = "appeared.json";

std::string saved_unrecorded_text(const UnrecordedObjects& found);
// Nothing: there is no such file in the directory, or it is damaged.
std::optional<UnrecordedObjects> read_saved_unrecorded(const std::string& directory);

}  // namespace umaskaudit::analysis

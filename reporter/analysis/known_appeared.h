// What appeared_unseen() found where the run was recorded, kept beside a packed run.
// Must never be mixed with what lies under the same paths here.
// Written by `pack`, read by whoever opens the run.
#pragma once

#include <optional>
#include <string>

#include "reporter/analysis/appeared.h"

namespace umaskaudit {

inline constexpr char kKnownAppearedFile[] = "appeared.json";

std::string known_appeared_text(const AppearedObjects& appeared);
// Nothing: there is no such file in the directory, or it is damaged.
std::optional<AppearedObjects> read_known_appeared(const std::string& directory);

}  // namespace umaskaudit

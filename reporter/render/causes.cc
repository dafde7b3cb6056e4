#include "reporter/render/causes.h"

#include <string>
#include <unordered_map>

namespace umaskaudit::render {

std::vector<CauseGroup> by_cause(const std::vector<rules::Finding>& findings, bool only_new) {
  std::vector<CauseGroup> groups;
  std::unordered_map<std::string, std::size_t> places;
  for (const rules::Finding& finding : findings) {
    if (only_new && finding.is_known()) continue;
    const auto [place, first] =
        places.try_emplace(finding.cause + '\n' + finding.suppressed_by, groups.size());
    // Made elsewhere than by the rules, it may have no cause: it stands alone.
    if (first || finding.cause.empty()) {
      place->second = groups.size();
      groups.emplace_back();
    }
    groups[place->second].push_back(&finding);
  }
  return groups;
}

}  // namespace umaskaudit::render

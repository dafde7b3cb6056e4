// See similar.h.
#include "reporter/text/similar.h"

#include <algorithm>
#include <cstddef>

namespace umaskaudit {
namespace {

constexpr std::size_t kMostEdits = 2;
constexpr std::size_t kLongest = 64;  // no name of ours is longer

std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
    }
  }
  return cost[a.size()][b.size()];
}

}  // namespace

std::string most_similar(std::string_view word, const std::vector<std::string>& known) {
  if (word.size() > kLongest) return "";
  std::string best;
  std::size_t least = std::min(kMostEdits + 1, (word.size() + 1) / 2);
  for (const std::string& one : known) {
    const std::size_t distance = edits(word, one);
    if (distance >= least) continue;
    least = distance;
    best = one;
  }
  return best;
}

}  // namespace umaskaudit

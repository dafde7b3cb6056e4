#include "reporter/text/similar.h"

#include <algorithm>
#include <cstddef>

namespace umaskaudit {
namespace {

constexpr std::size_t kMostEdits = 2;
constexpr std::size_t kLongest = 64;  // our names are shorter

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

// One element of a glob: a character, any character, or any characters.
struct GlobPart {
  enum class Kind { one, any, all } kind;
  char character = 0;
};

std::vector<GlobPart> parts_of(std::string_view glob) {
  std::vector<GlobPart> parts;
  for (std::size_t i = 0; i < glob.size(); ++i) {
    const std::size_t close = glob[i] == '[' ? glob.find(']', i + 2) : std::string_view::npos;
    if (glob[i] == '*') {
      parts.push_back({GlobPart::Kind::all});
    } else if (glob[i] == '?' || close != std::string_view::npos) {
      parts.push_back({GlobPart::Kind::any});
      if (glob[i] == '[') i = close;
    } else {
      if (glob[i] == '\\' && i + 1 < glob.size()) ++i;
      parts.push_back({GlobPart::Kind::one, glob[i]});
    }
  }
  return parts;
}

}  // namespace

std::size_t glob_edits(std::string_view glob, std::string_view text, std::size_t most) {
  std::vector<std::size_t> cost(text.size() + 1), last(text.size() + 1);
  for (std::size_t j = 0; j <= text.size(); ++j) cost[j] = j;
  for (const GlobPart& part : parts_of(glob)) {
    std::swap(cost, last);
    const bool all = part.kind == GlobPart::Kind::all;
    cost[0] = last[0] + (all ? 0 : 1);
    std::size_t least = cost[0];
    for (std::size_t j = 1; j <= text.size(); ++j) {
      const bool same = part.kind != GlobPart::Kind::one || part.character == text[j - 1];
      cost[j] = all ? std::min(last[j], cost[j - 1])
                    : std::min({last[j] + 1, cost[j - 1] + 1, last[j - 1] + (same ? 0U : 1U)});
      least = std::min(least, cost[j]);
    }
    if (least > most) return most + 1;
  }
  return std::min(cost[text.size()], most + 1);
}

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

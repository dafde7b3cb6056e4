// The word that somebody may have meant.
// Called where a name is not known.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace umaskaudit {

// The one of `known` that is nearest to `word`: by insertions, deletions, replacements and swaps of
// neighbours (optimal string alignment), two at most and fewer than half of the word. Empty: none.
std::string most_similar(std::string_view word, const std::vector<std::string>& known);

}  // namespace umaskaudit

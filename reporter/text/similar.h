// Suggests a known name for one that is not known, for error messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace umaskaudit {

// The one of `known` that is nearest to `word`: by insertions, deletions, replacements and swaps of
// neighbours (optimal string alignment), two at most and fewer than half of the word. Empty: none.
std::string most_similar(std::string_view word, const std::vector<std::string>& known);

// How many characters of `text` must be inserted, deleted or replaced until `glob` matches it, as
// fnmatch(3) does without flags; a bracket expression counts as any character. `most` + 1 when it
// is more than `most`.
std::size_t glob_edits(std::string_view glob, std::string_view text, std::size_t most);

}  // namespace umaskaudit

// Lists as "name=value,name=value", bytes beyond plain ones as %XX: what the OTEL_... variables
// hold (W3C Baggage, without properties). Must never return half a list. Called by the commands.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace umaskaudit {

using PairList = std::vector<std::pair<std::string, std::string>>;

// Blanks around names and values are ignored, as are empty items. Nothing: an item has no '=' or no
// name, or a '%' is not followed by two hexadecimal digits.
std::optional<PairList> parse_pairs(std::string_view text);

}  // namespace umaskaudit

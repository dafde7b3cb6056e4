// JSON inside a page: the one way by which text gets into the data block.
// Must never let the HTML parser see anything but text: no tag, no comment, no end of the block
// (HTML, 13.2.5.4 to 13.2.5.20: "script data" states). Called by the page's writer.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace umaskaudit::render::html {

// Appends JSON with each '<', '>' and '&' as \u00XX. In JSON these stand inside strings only, where
// both spellings mean the same.
inline void append_script_safe(std::string& out, std::string_view json) {
  constexpr std::string_view kMarkup = "<>&";
  while (!json.empty()) {
    const std::size_t plain = std::min(json.find_first_of(kMarkup), json.size());
    out.append(json.substr(0, plain));
    json.remove_prefix(plain);
    if (json.empty()) return;
    out += json.front() == '<' ? "\\u003c" : json.front() == '>' ? "\\u003e" : "\\u0026";
    json.remove_prefix(1);
  }
}

}  // namespace umaskaudit::render::html

// The page's markup, style and code, as embed.py made them of the files of this folder.
// Must never be edited where it is generated. Called by the page's writer.
#pragma once

#include <span>
#include <string_view>

namespace umaskaudit::render::html {

// The page is the pieces before, the data as JSON, and the pieces behind it.
std::span<const std::string_view> page_before_data();
std::span<const std::string_view> page_after_data();

}  // namespace umaskaudit::render::html

// Measures the columns of a string, and shortens or wraps it to a width.
// Must never depend on the user's locale: the same report has the same layout everywhere.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace umaskaudit {

// Columns of `text` on a UTF-8 terminal (wcwidth(3)); escaped text has no bytes without a width.
std::size_t display_width(std::string_view text);

// `text` cut in the middle to at most `columns` (at least 5): "/srv/very...name". Both ends stay,
// including the file's name and extension.
std::string elide_middle(std::string_view text, std::size_t columns);

// Appends `text` and a newline, wrapped at blanks to `width` columns (0: not wrapped): the first
// line after `indent` blanks, the others after `hanging`. A word that is too long stays whole.
// `text` must be escaped and without colour.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent,
                    std::size_t hanging, std::size_t width);

}  // namespace umaskaudit

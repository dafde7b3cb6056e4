// How many columns a string takes, and how to make it take fewer.
// Must never depend on the user's locale: the same report has the same shape everywhere.
// Called by TextTable and by renderers that wrap lines.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace umaskaudit {

// Columns of `text` on a UTF-8 terminal (wcwidth(3)); escaped text has no bytes without a width.
std::size_t display_width(std::string_view text);

// `text` cut in the middle to at most `columns` (at least 5): "/srv/very...name". Both ends stay,
// the file's name and its extension among them.
std::string elide_middle(std::string_view text, std::size_t columns);

// Adds `text` and a newline, broken at blanks where a line would be wider than `width` columns (0:
// never broken): the first line behind `indent` blanks, the others behind `hanging`. A word that is
// too long stays whole. `text` is escaped already and has no colour.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent,
                    std::size_t hanging, std::size_t width);

}  // namespace umaskaudit

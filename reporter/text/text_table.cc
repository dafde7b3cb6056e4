// Lays out a TextTable: natural widths first, then elastic columns shrink, widest first.
// Must never wrap: one row is one line, so that grep and awk work on it.
#include "reporter/text/text_table.h"

#include <algorithm>
#include <utility>

#include "reporter/text/text_width.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kGap = 2;
// without a limit: a longer cell pushes the rest of its line
constexpr std::size_t kMostPadded = 64;
constexpr std::size_t kLeastOnScreen = 5;                       // a letter, the mark, a letter
constexpr std::size_t kLeftOut = static_cast<std::size_t>(-1);  // in place of a width
constexpr char kMark[] = " ...";
constexpr std::size_t kMarkWidth = sizeof kMark - 1;

}  // namespace

TextTable::TextTable(std::vector<Column> columns, std::size_t indent)
    : columns_(std::move(columns)), indent_(indent) {}

void TextTable::add(std::vector<Cell> cells) {
  cells.resize(columns_.size(), Cell(""));
  rows_.push_back(std::move(cells));
}

TextTable::Widths TextTable::natural() const {
  Widths widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t widest = display_width(columns_[c].title);
    for (const auto& row : rows_) widest = std::max(widest, display_width(row[c].text));
    widths.push_back(widest);
  }
  return widths;
}

std::size_t TextTable::total(const Widths& widths) const {
  std::size_t sum = indent_;
  std::size_t shown = 0;
  for (const std::size_t width : widths) {
    if (width == kLeftOut) continue;
    sum += width;
    ++shown;
  }
  return sum + (shown > 1 ? (shown - 1) * kGap : 0);
}

// One long name does not pad all lines. Cells are printed whole: see lines().
void TextTable::limit_padding(Widths& widths) const {
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    if (!columns_[c].elastic || widths[c] <= kMostPadded) continue;
    widths[c] = display_width(columns_[c].title);
    for (const auto& row : rows_)
      if (const std::size_t width = display_width(row[c].text); width <= kMostPadded)
        widths[c] = std::max(widths[c], width);
  }
}

// Elastic columns shrink, the widest first, down to `least`; 0: down to the width that each keeps.
void TextTable::shrink(Widths& widths, std::size_t width, std::size_t least) const {
  for (std::size_t sum = total(widths); width != 0 && sum > width; --sum) {
    std::size_t victim = columns_.size();
    for (std::size_t c = 0; c < columns_.size(); ++c)
      if (columns_[c].elastic && widths[c] != kLeftOut &&
          widths[c] > (least == 0 ? columns_[c].least : least) &&
          (victim == columns_.size() || widths[c] > widths[victim]))
        victim = c;
    if (victim == columns_.size()) break;
    --widths[victim];
  }
}

// The last column that may be left out, or with `any` the last one except the first that is left;
// false: none.
bool TextTable::leave_one_out(Widths& widths, bool any) const {
  std::size_t first = 0;
  while (first < widths.size() && widths[first] == kLeftOut) ++first;
  for (std::size_t c = columns_.size(); c-- > 0;) {
    const bool may = any ? c != first : columns_[c].gives_way;
    if (widths[c] == kLeftOut || !may) continue;
    widths[c] = kLeftOut;
    return true;
  }
  return false;
}

std::string TextTable::text(std::size_t width, Paint paint) const {
  Widths widths = natural();
  if (width == 0)
    limit_padding(widths);
  else
    shrink(widths, width, 0);
  return lines(widths, paint, "", width == 0);
}

std::string TextTable::screen_text(std::size_t width, Paint paint) const {
  if (width == 0) return text(width, paint);
  Widths widths = natural();
  const std::size_t all = width;
  const char* mark = "";
  const auto too_wide = [&] { return all != 0 && total(widths) > width; };
  const auto leave_out = [&](bool any) {
    while (too_wide() && leave_one_out(widths, any)) {
      mark = kMark;
      width = all > kMarkWidth ? all - kMarkWidth : 1;
    }
  };
  shrink(widths, width, 0);
  leave_out(false);
  shrink(widths, width, kLeastOnScreen);
  leave_out(true);
  shrink(widths, width, kLeastOnScreen);
  return lines(widths, paint, mark, false);
}

std::string TextTable::lines(const Widths& widths, Paint paint, const char* mark,
                             bool whole) const {
  std::string out;
  const auto line = [&](const std::vector<Cell>& cells, const char* end) {
    std::string blanks(indent_, ' ');  // pending: written only before more text
    bool first = true;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (widths[c] == kLeftOut) continue;
      if (!first) blanks.append(kGap, ' ');
      first = false;
      const std::string shown =
          columns_[c].elastic && !whole ? elide_middle(cells[c].text, widths[c]) : cells[c].text;
      const std::size_t shown_width = display_width(shown);
      const std::size_t fill = widths[c] > shown_width ? widths[c] - shown_width : 0;
      if (columns_[c].align == Align::right) blanks.append(fill, ' ');
      if (!shown.empty()) {
        out += blanks;
        blanks.clear();
        out += paint(cells[c].style, shown);
      }
      if (columns_[c].align == Align::left) blanks.append(fill, ' ');
    }
    if (*end != '\0') out += blanks + end;
    out += '\n';
  };
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title, Style::strong);
  line(titles, mark);
  for (const auto& row : rows_) line(row, "");
  return out;
}

}  // namespace umaskaudit

// Layout of text_table.h: natural widths first, then elastic columns shrink, widest first.
// Must never wrap: one row is one line, so that grep and awk work on it.
// Called by the text renderers.
#include "reporter/render/text_table.h"

#include <algorithm>
#include <utility>

#include "reporter/render/text_width.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLeastElastic = 12;

}  // namespace

TextTable::TextTable(std::vector<Column> columns, std::size_t indent)
    : columns_(std::move(columns)), indent_(indent) {}

void TextTable::add(std::vector<Cell> cells) {
  cells.resize(columns_.size(), Cell(""));
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> TextTable::measure(std::size_t width) const {
  std::vector<std::size_t> widths;
  std::size_t total = indent_;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t widest = display_width(columns_[c].title);
    for (const auto& row : rows_) widest = std::max(widest, display_width(row[c].text));
    widths.push_back(widest);
    total += widest + (c == 0 ? 0 : kGap);
  }
  while (width != 0 && total > width) {
    std::size_t victim = columns_.size();
    for (std::size_t c = 0; c < columns_.size(); ++c)
      if (columns_[c].elastic && widths[c] > kLeastElastic &&
          (victim == columns_.size() || widths[c] > widths[victim]))
        victim = c;
    if (victim == columns_.size()) break;
    --widths[victim];
    --total;
  }
  return widths;
}

std::string TextTable::text(std::size_t width, Paint paint) const {
  const std::vector<std::size_t> widths = measure(width);
  std::string out;
  const auto line = [&](const std::vector<Cell>& cells) {
    std::string blanks(indent_, ' ');  // owed: written only in front of something
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      if (c != 0) blanks.append(kGap, ' ');
      const std::string shown =
          columns_[c].elastic ? elide_middle(cells[c].text, widths[c]) : cells[c].text;
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
    out += '\n';
  };
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title, Style::strong);
  line(titles);
  for (const auto& row : rows_) line(row);
  return out;
}

}  // namespace umaskaudit

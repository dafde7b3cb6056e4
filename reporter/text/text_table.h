// TextTable: aligned columns for a terminal, a pipe or a file.
// Must never receive unescaped text; cells are printed as they are.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reporter/text/style.h"

namespace umaskaudit {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::left;
  bool elastic = false;    // may be elided in the middle when the line is too wide
  bool gives_way = false;  // among the first columns to be left out when lines are too wide
  std::size_t least = 12;  // minimum width while another column can be left out
};

struct Cell {
  Cell(std::string cell_text, Style cell_style = Style::plain)
      : text(std::move(cell_text)), style(cell_style) {}
  Cell(const char* cell_text) : text(cell_text) {}
  std::string text;
  Style style = Style::plain;
};

class TextTable {
 public:
  // Lines are indented by `indent` blanks.
  explicit TextTable(std::vector<Column> columns, std::size_t indent = 2);
  // Missing cells are empty; cells beyond the columns are dropped.
  void add(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }
  // All lines with their newline, at most `width` columns (0: no limit, nothing is elided) as far
  // as elastic columns can shrink. No trailing blanks.
  std::string text(std::size_t width, Paint paint) const;
  // The same for a screen that would cut longer lines: whole columns are left out until `width` is
  // kept, and the line of titles ends in "...". Only elastic cells are elided.
  std::string screen_text(std::size_t width, Paint paint) const;

 private:
  using Widths = std::vector<std::size_t>;
  Widths natural() const;
  std::size_t total(const Widths& widths) const;
  void shrink(Widths& widths, std::size_t width, std::size_t least) const;
  bool leave_one_out(Widths& widths, bool any) const;
  void limit_padding(Widths& widths) const;
  // `whole`: no cell is elided.
  std::string lines(const Widths& widths, Paint paint, const char* mark, bool whole) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
  std::size_t indent_;
};

}  // namespace umaskaudit

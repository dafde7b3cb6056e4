// LiveScreen: the lines of `top` and what its keys do: tables, chosen row, filter, order, pages.
// Must never touch a terminal, nor show more columns or lines than there are.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "reporter/analysis/stack_cache.h"
#include "reporter/live/live_tables.h"
#include "reporter/live/live_view.h"
#include "reporter/live/terminal.h"

namespace umaskaudit::live {

class LiveScreen {
 public:
  LiveScreen(ThreadOrder order, Paint paint) : paint_(paint) { query_.order = order; }

  // Does what the key stands for; false: that was to quit.
  bool press(Key key);
  // The user has stopped the picture: lines() is to be given the view as it was at that moment, and
  // as `waiting` how many events came since.
  bool paused() const { return paused_; }
  std::vector<ScreenLine> lines(const LiveView& view, const LiveFacts& facts,
                                analysis::StackCache& stacks, TerminalSize size,
                                std::uint64_t waiting);

 private:
  enum class Page : std::uint8_t { none, help, thread, finding };
  struct Place {
    std::size_t row = 0, first = 0;
    std::uint64_t id = 0;   // of the row, which is followed where it goes; 0: the first row stays
    std::size_t shown = 1;  // rows at the last time
  };

  // What a line of the screen shows; a row of SIZE_MAX: its table's titles.
  struct Shown {
    Pane pane = Pane::threads;
    std::size_t row = SIZE_MAX;
  };

  bool press_on_page(Key key);
  void click(std::size_t line);
  void press_in_filter(Key key);
  void press_letter(char letter);
  void move(std::ptrdiff_t rows);
  void move_page(int pages);
  void move_to(std::size_t row);
  void open_row();
  Place& place() { return places_[static_cast<std::size_t>(focus_)]; }
  void follow(const LiveTables& tables, Pane pane);
  std::array<std::size_t, kPanes.size()> share(const LiveTables& tables, std::size_t lines) const;
  void add_pane(std::vector<ScreenLine>& out, const LiveTables& tables, Pane pane, std::size_t rows,
                analysis::StackCache& stacks, std::size_t width);
  void add_page(std::vector<ScreenLine>& out, const LiveView& view, const LiveFacts& facts,
                analysis::StackCache& stacks, TerminalSize size);
  std::string header(const LiveView& view, const LiveFacts& facts, std::size_t width,
                     std::uint64_t waiting) const;
  std::string footer(std::size_t width) const;
  std::string filter_line(const LiveTables& tables, std::size_t width) const;

  Paint paint_;
  LiveQuery query_;
  Pane focus_ = Pane::threads;
  std::array<Place, kPanes.size()> places_;
  std::vector<Shown> shown_;  // by line, at the last time; those of the tables alone
  bool editing_ = false;      // of the filter
  bool paused_ = false;
  Page page_ = Page::none;
  std::size_t page_first_ = 0, page_shown_ = 1;
  analysis::ThreadId page_thread_;
  std::uint64_t page_finding_ = 0;
  // Of the row chosen at the last time.
  analysis::ThreadId chosen_thread_;
  std::uint64_t chosen_finding_ = 0;
};

// "recording  12 mask changes, 3 objects created, ..." and at last the run's path, as far as it
// goes into `width` columns (0: no limit).
std::string live_header(const std::string& state, const LiveView& view, const LiveFacts& facts,
                        std::size_t width);

// The tables without a screen, twenty rows each.
std::string live_picture(const LiveView& view, const LiveFacts& facts, ThreadOrder order,
                         analysis::StackCache& stacks, std::size_t width, Paint paint);

}  // namespace umaskaudit::live

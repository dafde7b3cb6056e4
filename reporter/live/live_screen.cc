#include "reporter/live/live_screen.h"

#include <algorithm>

#include "reporter/live/live_pages.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::live {
namespace {

constexpr std::size_t kPictureRows = 20;
constexpr std::size_t kLeastRows = 2;     // of a table that is not alone
constexpr int kWheel = 3;                 // rows a notch
constexpr std::size_t kGutter = 2;        // the mark of the chosen row, and a blank
constexpr std::size_t kLeastOfPath = 12;  // columns: less says nothing

std::size_t index_of(Pane pane) { return static_cast<std::size_t>(pane); }

// As many of the parts as fit, from the first on.
std::string joined(const std::vector<std::string>& parts, const char* separator,
                   std::size_t width) {
  const std::string mark = " ...";
  std::string text;
  for (std::size_t at = 0; at < parts.size(); ++at) {
    const std::string next = text + (at == 0 ? "" : separator) + parts[at];
    const std::size_t room = at + 1 == parts.size() ? 0 : mark.size();
    if (width != 0 && display_width(next) + room > width) return fit_line(text + mark, width);
    text = next;
  }
  return text;
}

ThreadOrder after(ThreadOrder order) {
  switch (order) {
    case ThreadOrder::changes:
      return ThreadOrder::created;
    case ThreadOrder::created:
      return ThreadOrder::latest;
    case ThreadOrder::latest:
      return ThreadOrder::name;
    case ThreadOrder::name:
      return ThreadOrder::pid;
    case ThreadOrder::pid:
      return ThreadOrder::changes;
  }
  return order;
}

void pop_letter(std::string& text) {
  while (!text.empty() && (text.back() & 0xc0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

std::string hidden_text(std::size_t count, const char* noun) {
  return count == 0 ? "" : counted(count, noun);
}

}  // namespace

void LiveScreen::move_to(std::size_t row) {
  place().row = row;
  place().id = 0;
}

void LiveScreen::move(std::ptrdiff_t rows) {
  Place& at = place();
  const bool above = rows < 0 && at.row < static_cast<std::size_t>(-rows);
  move_to(above ? 0 : at.row + static_cast<std::size_t>(rows));
}

// The chosen row stays where it is on the screen.
void LiveScreen::move_page(int pages) {
  Place& at = place();
  const auto rows = static_cast<std::ptrdiff_t>(at.shown);
  move(pages * rows);
  at.first = pages > 0 ? at.first + at.shown : at.first - std::min(at.first, at.shown);
}

// The first click chooses, the next one opens.
void LiveScreen::click(std::size_t line) {
  constexpr std::size_t kHeader = 1;
  if (line < kHeader || line - kHeader >= shown_.size()) return;
  const Shown& at = shown_[line - kHeader];
  const bool again = at.pane == focus_ && at.row == place().row;
  focus_ = at.pane;
  if (again)
    open_row();
  else if (at.row != SIZE_MAX)
    move_to(at.row);
}

void LiveScreen::open_row() {
  page_first_ = 0;
  page_finding_ = chosen_finding_;
  page_thread_ = chosen_thread_;
  if (chosen_finding_ != 0)
    page_ = Page::finding;
  else if (chosen_thread_.tid != 0)
    page_ = Page::thread;
}

bool LiveScreen::press_on_page(Key key) {
  const auto up = [&](std::size_t rows) { page_first_ -= std::min(page_first_, rows); };
  switch (key.kind) {
    case Key::up:
      up(1);
      break;
    case Key::down:
      ++page_first_;
      break;
    case Key::wheel_up:
      up(kWheel);
      break;
    case Key::wheel_down:
      page_first_ += kWheel;
      break;
    case Key::page_up:
      up(page_shown_);
      break;
    case Key::page_down:
      page_first_ += page_shown_;
      break;
    case Key::home:
      page_first_ = 0;
      break;
    case Key::end:
      page_first_ = SIZE_MAX / 2;
      break;
    case Key::enter:
    case Key::escape:
    case Key::backspace:
      page_ = Page::none;
      break;
    case Key::byte:
      if (key.value == 'k') return press_on_page({Key::up});
      if (key.value == 'j') return press_on_page({Key::down});
      if (key.value == 'g') return press_on_page({Key::home});
      if (key.value == 'G') return press_on_page({Key::end});
      if (key.value == ' ') paused_ = !paused_;
      if (key.value == 'q' || key.value == '?' || key.value == 'h') page_ = Page::none;
      break;
    case Key::none:
    case Key::tab:
    case Key::back_tab:
    case Key::click:
      break;
  }
  return true;
}

void LiveScreen::press_in_filter(Key key) {
  constexpr char kControlU = 'U' & 0x1f;
  if (key.kind == Key::enter) editing_ = false;
  if (key.kind == Key::backspace) pop_letter(query_.filter);
  if (key.kind == Key::escape) {
    editing_ = false;
    query_.filter.clear();
  }
  if (key.kind != Key::byte) return;
  if (key.value == kControlU)
    query_.filter.clear();
  else if (static_cast<unsigned char>(key.value) >= ' ')
    query_.filter += key.value;
}

void LiveScreen::press_letter(char letter) {
  switch (letter) {
    case 'k':
      return move(-1);
    case 'j':
      return move(1);
    case 'g':
      return move_to(0);
    case 'G':
      return move_to(SIZE_MAX / 2);
    case 's':
      query_.order = after(query_.order);
      return;
    case 'r':
      query_.reversed = !query_.reversed;
      return;
    case '/':
      editing_ = true;
      return;
    case ' ':
      paused_ = !paused_;
      return;
    case '?':
    case 'h':
      page_ = Page::help;
      page_first_ = 0;
      return;
    default:
      if (letter >= '1' && letter <= '4') focus_ = kPanes[static_cast<std::size_t>(letter - '1')];
  }
}

bool LiveScreen::press(Key key) {
  constexpr std::size_t kCount = kPanes.size();
  if (key.kind == Key::none) return true;
  if (editing_) {
    press_in_filter(key);
    return true;
  }
  if (page_ != Page::none) return press_on_page(key);
  switch (key.kind) {
    case Key::up:
      move(-1);
      break;
    case Key::down:
      move(1);
      break;
    case Key::wheel_up:
      move(-kWheel);
      break;
    case Key::wheel_down:
      move(kWheel);
      break;
    case Key::click:
      click(key.line);
      break;
    case Key::page_up:
      move_page(-1);
      break;
    case Key::page_down:
      move_page(1);
      break;
    case Key::home:
      move_to(0);
      break;
    case Key::end:
      move_to(SIZE_MAX / 2);
      break;
    case Key::enter:
      open_row();
      break;
    case Key::escape:
      query_.filter.clear();
      break;
    case Key::tab:
      focus_ = kPanes[(index_of(focus_) + 1) % kCount];
      break;
    case Key::back_tab:
      focus_ = kPanes[(index_of(focus_) + kCount - 1) % kCount];
      break;
    case Key::byte:
      if (key.value == 'q') return false;
      press_letter(key.value);
      break;
    case Key::none:
    case Key::backspace:
      break;
  }
  return true;
}

// The chosen row stays chosen wherever it is sorted to; the first row is a place.
void LiveScreen::follow(const LiveTables& tables, Pane pane) {
  Place& at = places_[index_of(pane)];
  const std::size_t size = tables.size(pane);
  if (size == 0) {
    at.row = at.first = 0;
    return;
  }
  if (at.id != 0 && at.row != 0)
    for (std::size_t row = 0; row < size; ++row)
      if (tables.id(pane, row) == at.id) at.row = row;
  at.row = std::min(at.row, size - 1);
  at.id = tables.id(pane, at.row);
  at.shown = std::max<std::size_t>(at.shown, 1);
  // No empty lines below the last row while there are rows above.
  at.first = std::min(at.first, size - std::min(size, at.shown));
  at.first = std::min(at.first, at.row);
  if (at.row >= at.first + at.shown) at.first = at.row + 1 - at.shown;
}

// Rows for each table. The one that is looked at comes first, but leaves the others a few; where
// that is too little, it is alone.
std::array<std::size_t, kPanes.size()> LiveScreen::share(const LiveTables& tables,
                                                         std::size_t lines) const {
  std::array<std::size_t, kPanes.size()> rows{};
  constexpr std::size_t kAll = kPanes.size();
  if (lines < kAll * (kLeastRows + 1)) {
    rows[index_of(focus_)] = lines > 1 ? lines - 1 : 1;
    return rows;
  }
  std::size_t left = lines - kAll;
  const auto give = [&](Pane pane, std::size_t most) {
    std::size_t& has = rows[index_of(pane)];
    const std::size_t wants = std::max<std::size_t>(tables.size(pane), 1);
    const std::size_t more =
        std::min({left, most - std::min(most, has), wants - std::min(wants, has)});
    has += more;
    left -= more;
  };
  for (const Pane pane : kPanes) give(pane, kLeastRows);
  give(focus_, std::max(kLeastRows, (lines - kAll) / 2));
  for (const Pane pane : kPanes) give(pane, (lines - kAll) / kAll);
  give(focus_, lines);
  for (const Pane pane : kPanes) give(pane, lines);
  return rows;
}

void LiveScreen::add_pane(std::vector<ScreenLine>& out, const LiveTables& tables, Pane pane,
                          std::size_t rows, analysis::StackCache& stacks, std::size_t width) {
  Place& at = places_[index_of(pane)];
  at.shown = rows;
  follow(tables, pane);
  const std::size_t inner = width > kGutter ? width - kGutter : width;
  std::vector<std::string> lines;
  add_lines(lines, tables.text(pane, at.first, rows, inner, paint_, stacks), inner);
  const bool focused = pane == focus_;
  for (std::size_t line = 0; line < lines.size(); ++line) {
    const bool chosen = focused && line != 0 && at.first + line - 1 == at.row;
    const bool titles = focused && line == 0;
    shown_.push_back({pane, line == 0 ? SIZE_MAX : at.first + line - 1});
    out.push_back({(chosen ? "> " : titles ? "* " : "  ") + lines[line], chosen});
  }
}

std::string live_header(const std::string& state, const LiveView& view, const LiveFacts& facts,
                        std::size_t width) {
  const LiveView::Counts& counts = view.counts();
  const std::string time = offset_text(counts.end_ns, facts.begin_ns);
  const std::string findings = counted(facts.findings.size(), "finding");
  const std::string text =
      "umaskaudit top " + state + "  " + time + "  " + counted(counts.changes, "mask change") +
      ", " + counted(counts.created, "object") + " created, " +
      counted(view.threads().size(), "thread") + ", " + findings + ", " +
      counted(counts.blind, "blind spot") + ", " + std::to_string(counts.lost) + " lost";
  const std::string path = escape(facts.directory);
  if (width == 0) return text + "  " + path;
  const std::size_t used = display_width(text);
  if (used + 2 + kLeastOfPath <= width) return text + "  " + fit_line(path, width - used - 2);
  if (used <= width) return text;
  return joined(
      {state, counted(counts.changes, "change"), std::to_string(counts.created) + " created",
       findings, std::to_string(counts.lost) + " lost", std::to_string(counts.blind) + " blind",
       counted(view.threads().size(), "thread"), time},
      "  ", width);
}

std::string LiveScreen::header(const LiveView& view, const LiveFacts& facts, std::size_t width,
                               std::uint64_t waiting) const {
  std::string state = facts.over ? "ended" : "recording";
  if (paused_) state = "PAUSED, " + counted(waiting, "event") + " since";
  return live_header(state, view, facts, width);
}

std::string LiveScreen::footer(std::size_t width) const {
  const std::string sorted =
      std::string("s by ") + thread_order_name(query_.order) + (query_.reversed ? " (r)" : "");
  if (page_ != Page::none) return joined({"q back", "up down PgUp PgDn scroll"}, "  ", width);
  return joined({"q quit", "? help", sorted, "/ filter", paused_ ? "space go on" : "space pause",
                 "enter details", "tab table", "arrows scroll"},
                "  ", width);
}

// "filter 'x' hides 3 threads, 40 creations; esc shows all".
std::string LiveScreen::filter_line(const LiveTables& tables, std::size_t width) const {
  constexpr const char* kNouns[] = {"thread", "context", "creation", "finding"};
  std::string hidden;
  for (const Pane pane : kPanes)
    if (const std::string text = hidden_text(tables.hidden(pane), kNouns[index_of(pane)]);
        !text.empty())
      hidden += (hidden.empty() ? "" : ", ") + text;
  const std::string filter = "/" + escape(query_.filter) + (editing_ ? "_" : "");
  return joined({filter, hidden.empty() ? "hides nothing" : "hides " + hidden,
                 editing_ ? "enter keeps it" : "esc shows all"},
                "  ", width);
}

void LiveScreen::add_page(std::vector<ScreenLine>& out, const LiveView& view,
                          const LiveFacts& facts, analysis::StackCache& stacks, TerminalSize size) {
  std::vector<std::string> page;
  if (page_ == Page::help) page = help_page(size.columns, paint_);
  if (page_ == Page::thread)
    page = thread_page(view, facts, page_thread_, stacks, size.columns, paint_);
  if (page_ == Page::finding) {
    page.push_back("This finding is not found any more.");
    for (const FindingLine& finding : facts.findings)
      if (finding.id == page_finding_) page = finding_page(finding, size.columns);
  }
  page_shown_ = size.lines > 2 ? size.lines - 2 : 1;
  page_first_ = std::min(page_first_, page.size() - std::min(page.size(), page_shown_));
  for (std::size_t at = page_first_; at < std::min(page.size(), page_first_ + page_shown_); ++at)
    out.push_back({page[at]});
  if (page.size() > page_shown_ && !out.empty()) {
    const std::string where = "lines " + std::to_string(page_first_ + 1) + "-" +
                              std::to_string(std::min(page.size(), page_first_ + page_shown_)) +
                              " of " + std::to_string(page.size()) + "  ";
    out.push_back({paint_(Style::dim, fit_line(where + footer(0), size.columns))});
  } else {
    out.push_back({paint_(Style::dim, footer(size.columns))});
  }
}

std::vector<ScreenLine> LiveScreen::lines(const LiveView& view, const LiveFacts& facts,
                                          analysis::StackCache& stacks, TerminalSize size,
                                          std::uint64_t waiting) {
  std::vector<ScreenLine> out;
  out.push_back({paint_(paused_ ? Style::warning : Style::strong,
                        header(view, facts, size.columns, waiting))});
  shown_.clear();
  if (page_ != Page::none) {
    add_page(out, view, facts, stacks, size);
    return out;
  }
  const LiveTables tables(view, facts, query_);
  const bool filtered = editing_ || !query_.filter.empty();
  const std::size_t fixed = filtered ? 3 : 2;
  const auto rows = share(tables, size.lines > fixed ? size.lines - fixed : 1);
  for (const Pane pane : kPanes)
    if (const std::size_t some = rows[index_of(pane)]; some != 0)
      add_pane(out, tables, pane, some, stacks, size.columns);
  const bool any = tables.size(focus_) != 0;
  chosen_thread_ = any ? tables.thread(focus_, place().row) : analysis::ThreadId{};
  chosen_finding_ =
      any && focus_ == Pane::findings ? tables.id(focus_, place().row) : std::uint64_t{0};
  if (out.size() > size.lines - std::min(size.lines, fixed - 1))
    out.resize(size.lines - std::min(size.lines, fixed - 1));
  while (out.size() + fixed - 1 < size.lines) out.push_back({});
  if (filtered) out.push_back({paint_(Style::strong, filter_line(tables, size.columns))});
  out.push_back({paint_(Style::dim, footer(size.columns))});
  return out;
}

std::string live_picture(const LiveView& view, const LiveFacts& facts, ThreadOrder order,
                         analysis::StackCache& stacks, std::size_t width, Paint paint) {
  const LiveQuery query{order, false, ""};
  const LiveTables tables(view, facts, query);
  std::string out =
      paint(Style::strong, live_header(facts.over ? "ended" : "recording", view, facts, width)) +
      '\n';
  for (const Pane pane : kPanes) {
    out += tables.text(pane, 0, kPictureRows, width, paint, stacks);
    if (pane != Pane::findings) out += '\n';
  }
  return out;
}

}  // namespace umaskaudit::live

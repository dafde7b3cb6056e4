// Tables of live_view.h.
#include "reporter/live/live_view.h"

#include <algorithm>

#include "reporter/render/findings_text.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/text_report.h"
#include "reporter/render/timeline_text.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/text/text_table.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kMostEntries = 4096;
constexpr std::size_t kMostLatest = 64;
constexpr std::size_t kPlainRows = 20;
// The heading, the footer, four titles, three blank lines.
constexpr std::size_t kFixedLines = 9;
constexpr std::size_t kTables = 4;

// Room for one more.
template <typename Map>
void make_room(Map& map) {
  if (map.size() < kMostEntries) return;
  map.erase(std::min_element(map.begin(), map.end(), [](const auto& a, const auto& b) {
    return a.second.time_ns < b.second.time_ns;
  }));
}

// The first `rows` by `before`.
template <typename Map, typename Before>
auto first_of(const Map& map, std::size_t rows, Before before) {
  std::vector<const typename Map::mapped_type*> all;
  all.reserve(map.size());
  for (const auto& [key, value] : map) all.push_back(&value);
  rows = std::min(rows, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(rows), all.end(),
                    [&](const auto* a, const auto* b) { return before(*a, *b); });
  all.resize(rows);
  return all;
}

std::string cut_to(const std::string& text, std::size_t height) {
  std::size_t at = 0;
  for (std::size_t line = 0; line < height; ++line) {
    at = text.find('\n', at);
    if (at == std::string::npos) return text;
    ++at;
  }
  return text.substr(0, at);
}

std::string cut_line(const std::string& line, std::size_t width) {
  return width < 5 ? line : elide_middle(line, width);
}

}  // namespace

const char* thread_order_name(ThreadOrder order) {
  switch (order) {
    case ThreadOrder::changes:
      return "changes";
    case ThreadOrder::created:
      return "created";
    case ThreadOrder::latest:
      return "latest";
  }
  return "";
}

LiveView::Thread& LiveView::thread_of(const EventBase& base) {
  const std::uint64_t key = std::uint64_t{base.pid} << 32 | base.tid;
  auto found = threads_.find(key);
  if (found == threads_.end()) {
    make_room(threads_);
    found = threads_.try_emplace(key).first;
  }
  Thread& thread = found->second;
  thread.pid = base.pid;
  thread.tid = base.tid;
  if (thread.name != base.thread) thread.name = base.thread;
  thread.time_ns = std::max(thread.time_ns, base.time_ns);
  return thread;
}

LiveView::Context& LiveView::context_of(const EventBase& base) {
  auto found = contexts_.find(base.fs);
  if (found == contexts_.end()) {
    make_room(contexts_);
    found = contexts_.try_emplace(base.fs).first;
    found->second.fs = base.fs;
    found->second.time_ns = base.time_ns;
  }
  return found->second;
}

void LiveView::remember(const EventBase& base, const Event& event, Style style) {
  latest_.push_front({base.time_ns, base.tid == 0 ? "" : thread_text(base.thread, base.tid),
                      what_happened(event), style});
  if (latest_.size() > kMostLatest) latest_.pop_back();
}

void LiveView::feed(const Event& event) {
  const EventBase& base =
      std::visit([](const auto& one) -> const EventBase& { return one; }, event);
  end_ns_ = std::max(end_ns_, base.time_ns);
  if (const auto* umask = std::get_if<UmaskEvent>(&event)) {
    changes_ += umask->folded.count;
    Thread& thread = thread_of(base);
    thread.changes += umask->folded.count;
    thread.old_mask = umask->old_mask;
    thread.new_mask = umask->new_mask;
    thread.stack = base.stack;
    Context& context = context_of(base);
    context.changes += umask->folded.count;
    context.mask = umask->new_mask;
    context.time_ns = base.time_ns;
    context.setter = thread_text(base.thread, base.tid);
  } else if (const auto* create = std::get_if<CreateEvent>(&event)) {
    if (!is_story(event)) return;
    ++created_;
    ++thread_of(base).created;
    if (Context& context = context_of(base); context.changes == 0) context.mask = create->mask;
    remember(base, event, create->final_mode ? mode_style(*create->final_mode) : Style::plain);
  } else if (const auto* process = std::get_if<ProcessEvent>(&event)) {
    if (Context& context = context_of(base); context.changes == 0) context.mask = process->mask;
  } else if (std::holds_alternative<BlindSpotEvent>(event)) {
    ++blind_;
    remember(base, event, Style::warning);
  } else if (const auto* loss = std::get_if<LossEvent>(&event)) {
    lost_ += loss->count;
    remember(base, event, Style::bad);
  }
}

void LiveView::append_threads(std::string& out, const LiveFrame& frame, StackCache& stacks,
                              std::size_t rows) const {
  const auto before = [order = frame.order](const Thread& a, const Thread& b) {
    const auto rank = [order](const Thread& t) {
      return order == ThreadOrder::latest    ? t.time_ns
             : order == ThreadOrder::created ? t.created
                                             : t.changes;
    };
    if (rank(a) != rank(b)) return rank(a) > rank(b);
    return a.pid != b.pid ? a.pid < b.pid : a.tid < b.tid;
  };
  TextTable table({{"THREAD", Align::left, true},
                   {"PID", Align::right, false, true},
                   {"CHANGES", Align::right, false, true},
                   {"CREATED", Align::right, false, true},
                   {"LATEST", Align::right, false, true},
                   {"LAST CHANGE"},
                   {"AT", Align::left, true}},
                  0);
  for (const Thread* thread : first_of(threads_, rows, before)) {
    const bool changed = thread->changes != 0;
    table.add({thread_text(thread->name, thread->tid), std::to_string(thread->pid),
               std::to_string(thread->changes), std::to_string(thread->created),
               offset_text(thread->time_ns, frame.begin_ns),
               changed ? Cell(octal(thread->old_mask) + "->" + octal(thread->new_mask),
                              mask_style(thread->new_mask))
                       : Cell(""),
               changed ? site(culprit(stacks.frames(thread->stack))) : ""});
  }
  out += table.screen_text(frame.width, frame.paint) + '\n';
}

void LiveView::append_contexts(std::string& out, const LiveFrame& frame, std::size_t rows) const {
  TextTable table({{"FS CONTEXT", Align::right},
                   {"MASK"},
                   {"CHANGES", Align::right, false, true},
                   {"SINCE", Align::right, false, true},
                   {"SET BY", Align::left, true}},
                  0);
  const auto before = [](const Context& a, const Context& b) {
    return a.time_ns != b.time_ns ? a.time_ns > b.time_ns : a.fs < b.fs;
  };
  for (const Context* context : first_of(contexts_, rows, before))
    table.add({std::to_string(context->fs), Cell(octal(context->mask), mask_style(context->mask)),
               std::to_string(context->changes), offset_text(context->time_ns, frame.begin_ns),
               context->setter.empty() ? "inherited" : context->setter});
  out += table.screen_text(frame.width, frame.paint) + '\n';
}

void LiveView::append_latest(std::string& out, const LiveFrame& frame, std::size_t rows) const {
  TextTable table({{"TIME", Align::right},
                   {"THREAD", Align::left, true},
                   {"LATEST CREATIONS", Align::left, true}},
                  0);
  for (std::size_t at = 0; at < std::min(rows, latest_.size()); ++at) {
    const Latest& one = latest_[at];
    table.add({offset_text(one.time_ns, frame.begin_ns), one.thread, Cell(one.text, one.style)});
  }
  out += table.screen_text(frame.width, frame.paint) + '\n';
}

std::string LiveView::text(const LiveFrame& frame, StackCache& stacks) const {
  std::size_t rows = kPlainRows;
  if (frame.height != 0)
    rows = frame.height > kFixedLines + kTables ? (frame.height - kFixedLines) / kTables : 1;
  const std::string numbers =
      offset_text(end_ns_, frame.begin_ns) + "  " + counted(changes_, "mask change") + ", " +
      counted(created_, "object") + " created, " + counted(threads_.size(), "thread") + ", " +
      counted(blind_, "blind spot") + ", " + std::to_string(lost_) + " lost";
  std::string out =
      frame.paint(Style::strong, cut_line(frame.title + "  " + numbers, frame.width)) + '\n';
  append_threads(out, frame, stacks, rows);
  append_contexts(out, frame, rows);
  append_latest(out, frame, rows);
  const std::string findings =
      "FINDINGS " + frame.findings_note + ": " + std::to_string(frame.findings.size());
  out += frame.paint(Style::strong, cut_line(findings, frame.width)) + '\n';
  for (std::size_t at = 0; at < std::min(rows, frame.findings.size()); ++at)
    out += frame.paint(severity_style(frame.findings[at].severity),
                       cut_line(frame.findings[at].text, frame.width)) +
           '\n';
  const std::size_t footer = frame.footer.empty() ? 0 : 1;
  if (frame.height > footer) out = cut_to(out, frame.height - footer);
  if (footer != 0) out += frame.paint(Style::dim, cut_line(frame.footer, frame.width)) + '\n';
  return out;
}

}  // namespace umaskaudit

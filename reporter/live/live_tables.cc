#include "reporter/live/live_tables.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "reporter/render/findings_text.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/text_report.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::live {
namespace {

constexpr char kSortedBy[] = "\u2193";
constexpr char kSortedBack[] = "\u2191";

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// Compares with what is shown: the text is escaped, the case of letters is not looked at.
class Needle {
 public:
  explicit Needle(const std::string& text) : text_(lower(escape(text))) {}
  bool in(const std::string& escaped) const {
    return lower(escaped).find(text_) != std::string::npos;
  }

 private:
  std::string text_;
};

template <typename Row>
std::vector<const Row*> slice(const std::vector<const Row*>& all, std::size_t first,
                              std::size_t rows) {
  first = std::min(first, all.size());
  rows = std::min(rows, all.size() - first);
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(rows)};
}

std::string change_text(const LiveChange& change) {
  return octal(change.old_mask) + "->" + octal(change.new_mask);
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
    case ThreadOrder::name:
      return "name";
    case ThreadOrder::pid:
      return "pid";
  }
  return "";
}

LiveTables::LiveTables(const LiveView& view, const LiveFacts& facts, const LiveQuery& query)
    : view_(view), facts_(facts), query_(query) {
  choose();
  sort_threads();
  std::sort(contexts_.begin(), contexts_.end(), [](const auto* a, const auto* b) {
    return a->time_ns != b->time_ns ? a->time_ns > b->time_ns : a->fs < b->fs;
  });
}

// A thread is wanted for its name, its number, its process, or for what it made.
void LiveTables::choose() {
  const bool all = query_.filter.empty();
  const Needle needle(query_.filter);
  std::unordered_set<std::uint64_t> wanted;
  std::unordered_set<std::uint32_t> contexts;
  const auto named = [&](analysis::ThreadId key, const std::string& name) {
    return needle.in(render::thread_text(name, key.tid)) || needle.in(std::to_string(key.pid)) ||
           needle.in(escape(view_.program(key.pid)));
  };
  for (const LiveCreation& one : view_.creations()) {
    const bool path = !all && needle.in(one.text);
    if (path) wanted.insert(id_of(one.thread));
    if (all || path || named(one.thread, one.name)) creations_.push_back(&one);
  }
  for (const auto& [id, thread] : view_.threads()) {
    if (!all && wanted.count(id) == 0 && !named(thread.key, thread.name)) continue;
    wanted.insert(id);
    contexts.insert(thread.fs);
    threads_.push_back(&thread);
  }
  for (const auto& [fs, context] : view_.contexts())
    if (all || contexts.count(fs) != 0 ||
        (context.setter.tid != 0 && named(context.setter, context.setter_name)))
      contexts_.push_back(&context);
  for (const FindingLine& finding : facts_.findings) {
    const bool concerned =
        std::any_of(finding.threads.begin(), finding.threads.end(),
                    [&](analysis::ThreadId key) { return wanted.count(id_of(key)) != 0; });
    if (all || concerned || needle.in(finding.text)) findings_.push_back(&finding);
  }
}

void LiveTables::sort_threads() {
  const auto number = [order = query_.order](const LiveThread& thread) -> std::uint64_t {
    switch (order) {
      case ThreadOrder::changes:
        return thread.changes;
      case ThreadOrder::created:
        return thread.created;
      case ThreadOrder::latest:
        return thread.time_ns;
      case ThreadOrder::name:
      case ThreadOrder::pid:
        break;
    }
    return 0;
  };
  const auto before = [&](const LiveThread* a, const LiveThread* b) {
    if (query_.order == ThreadOrder::name && a->name != b->name) return a->name < b->name;
    if (number(*a) != number(*b)) return number(*a) > number(*b);
    return id_of(a->key) < id_of(b->key);
  };
  if (query_.reversed)
    std::sort(threads_.begin(), threads_.end(),
              [&](const auto* a, const auto* b) { return before(b, a); });
  else
    std::sort(threads_.begin(), threads_.end(), before);
}

std::size_t LiveTables::size(Pane pane) const {
  switch (pane) {
    case Pane::threads:
      return threads_.size();
    case Pane::contexts:
      return contexts_.size();
    case Pane::creations:
      return creations_.size();
    case Pane::findings:
      return findings_.size();
  }
  return 0;
}

std::size_t LiveTables::hidden(Pane pane) const {
  switch (pane) {
    case Pane::threads:
      return view_.threads().size() - threads_.size();
    case Pane::contexts:
      return view_.contexts().size() - contexts_.size();
    case Pane::creations:
      return view_.creations().size() - creations_.size();
    case Pane::findings:
      return facts_.findings.size() - findings_.size();
  }
  return 0;
}

std::uint64_t LiveTables::id(Pane pane, std::size_t row) const {
  switch (pane) {
    case Pane::threads:
      return id_of(threads_[row]->key);
    case Pane::contexts:
      return contexts_[row]->fs + std::uint64_t{1};
    case Pane::creations:
      return creations_[row]->number;
    case Pane::findings:
      return findings_[row]->id;
  }
  return 0;
}

analysis::ThreadId LiveTables::thread(Pane pane, std::size_t row) const {
  switch (pane) {
    case Pane::threads:
      return threads_[row]->key;
    case Pane::contexts:
      return contexts_[row]->setter;
    case Pane::creations:
      return creations_[row]->thread;
    case Pane::findings:
      break;
  }
  return {};
}

// " 1-8 of 61, 3 hidden"; empty when all rows are shown.
std::string LiveTables::range(Pane pane, std::size_t first, std::size_t rows) const {
  const std::size_t all = size(pane);
  first = std::min(first, all);
  rows = std::min(rows, all - first);
  std::string text;
  if (rows < all)
    text = ' ' + std::to_string(first + 1) + "-" + std::to_string(first + rows) + " of " +
           std::to_string(all);
  if (hidden(pane) != 0) text += ", " + std::to_string(hidden(pane)) + " hidden";
  return text;
}

void LiveTables::add_thread(TextTable& table, const LiveThread& thread,
                            analysis::StackCache& stacks) const {
  const bool changed = thread.changes != 0;
  // Of a run that is over all have.
  const bool ended = !facts_.over && facts_.ended.contains(thread.key.pid);
  const std::string pid = std::to_string(thread.key.pid);
  table.add({render::thread_text(thread.name, thread.key.tid),
             ended ? Cell(pid + " ended", Style::dim) : Cell(pid), std::to_string(thread.changes),
             std::to_string(thread.created), offset_text(thread.time_ns, facts_.begin_ns),
             changed ? Cell(change_text(thread.last), render::mask_style(thread.last.new_mask))
                     : Cell(""),
             changed ? render::place_text(stacks, thread.last.stack) : ""});
}

std::string LiveTables::text(Pane pane, std::size_t first, std::size_t rows, std::size_t width,
                             Paint paint, analysis::StackCache& stacks) const {
  const std::string shown = range(pane, first, rows);
  const auto sorted = [&](const char* name, ThreadOrder order) {
    if (query_.order != order) return std::string(name);
    return std::string(name) + (query_.reversed ? kSortedBack : kSortedBy);
  };
  switch (pane) {
    case Pane::threads: {
      TextTable table({{sorted("THREAD", ThreadOrder::name) + shown, Align::left, true},
                       {sorted("PID", ThreadOrder::pid), Align::right, false, true},
                       {sorted("CHANGES", ThreadOrder::changes), Align::right, false, true},
                       {sorted("CREATED", ThreadOrder::created), Align::right, false, true},
                       {sorted("LATEST", ThreadOrder::latest), Align::right, false, true},
                       {"LAST CHANGE"},
                       {"AT", Align::left, true}},
                      0);
      for (const LiveThread* thread : slice(threads_, first, rows))
        add_thread(table, *thread, stacks);
      return table.screen_text(width, paint);
    }
    case Pane::contexts: {
      TextTable table({{"FS CONTEXT" + shown},
                       {"MASK"},
                       {"CHANGES", Align::right, false, true},
                       {"SINCE", Align::right, false, true},
                       {"SET BY", Align::left, true}},
                      0);
      for (const LiveContext* one : slice(contexts_, first, rows))
        table.add({std::to_string(one->fs), Cell(octal(one->mask), render::mask_style(one->mask)),
                   std::to_string(one->changes), offset_text(one->time_ns, facts_.begin_ns),
                   one->setter.tid == 0 ? "inherited"
                                        : render::thread_text(one->setter_name, one->setter.tid)});
      return table.screen_text(width, paint);
    }
    case Pane::creations: {
      TextTable table({{"TIME", Align::right},
                       {"THREAD", Align::left, true},
                       {"LATEST CREATIONS" + shown, Align::left, true}},
                      0);
      for (const LiveCreation* one : slice(creations_, first, rows))
        table.add({offset_text(one->time_ns, facts_.begin_ns),
                   one->thread.tid == 0 ? "" : render::thread_text(one->name, one->thread.tid),
                   Cell(one->text, one->style)});
      return table.screen_text(width, paint);
    }
    case Pane::findings: {
      const auto fit = [&](const std::string& line) {
        return width < 5 ? line : elide_middle(line, width);
      };
      std::string out = paint(Style::strong, fit("FINDINGS " + facts_.findings_note + ": " +
                                                 std::to_string(facts_.findings.size()) + shown)) +
                        '\n';
      for (const FindingLine* one : slice(findings_, first, rows))
        out += paint(render::severity_style(one->severity), fit(one->text)) + '\n';
      return out;
    }
  }
  return "";
}

}  // namespace umaskaudit::live

#include "reporter/live/live_pages.h"

#include <algorithm>

#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/text_report.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_table.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::live {
namespace {

constexpr char kHelp[] =
    "Keys\n"
    "  up down, k j    the row before, the next one\n"
    "  PgUp PgDn       a screen of them\n"
    "  Home End, g G   the first, the last\n"
    "  Tab, 1 2 3 4    another table: threads, contexts, creations, findings\n"
    "  Enter           all about the thread or the finding of this row; Esc: back\n"
    "  s               sort the threads by the next column; r: the other way round\n"
    "  /               show what has this in its path, process or thread; Esc: all again\n"
    "  space           stand still, or go on; recording goes on in any case\n"
    "  mouse           the wheel scrolls; a click chooses a row, another one opens it\n"
    "  ? h             this page\n"
    "  q               quit\n"
    "\n"
    "Words\n"
    "  CHANGES         calls that set the umask\n"
    "  CREATED         objects that the thread made\n"
    "  LATEST, SINCE   seconds after the beginning of the run\n"
    "  FS CONTEXT      who shares a umask: threads of a process, as a rule\n"
    "  0666 & ~0022    requested 0666, the umask took 0022 away\n"
    "  blind spots     what the recorder knows that it could not see\n"
    "  lost            records for which there was no room\n";

// Text without the sequences of Paint.
std::string without_colour(const std::string& line) {
  std::string out;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] != '\x1b') {
      out += line[at];
      continue;
    }
    at = line.find('m', at);
    if (at == std::string::npos) break;
  }
  return out;
}

std::string title(const std::string& text, Paint paint) {
  return '\n' + paint(Style::strong, text) + '\n';
}

// Several stacks may lead to one place.
struct PlacedChange {
  Mode old_mask, new_mask;
  std::string place;
  std::uint64_t count = 0, time_ns = 0;
};

std::vector<PlacedChange> by_place(const LiveThread& thread, analysis::StackCache& stacks) {
  std::vector<PlacedChange> out;
  for (const LiveChange& kind : thread.kinds) {
    const std::string place = render::place_text(stacks, kind.stack);
    auto same = std::find_if(out.begin(), out.end(), [&](const PlacedChange& one) {
      return one.old_mask == kind.old_mask && one.new_mask == kind.new_mask && one.place == place;
    });
    if (same == out.end())
      same = out.insert(same, PlacedChange{kind.old_mask, kind.new_mask, place});
    same->count += kind.count;
    same->time_ns = std::max(same->time_ns, kind.time_ns);
  }
  std::sort(out.begin(), out.end(), [](const PlacedChange& a, const PlacedChange& b) {
    return a.count != b.count ? a.count > b.count : a.time_ns > b.time_ns;
  });
  return out;
}

std::string kinds_table(const LiveThread& thread, const LiveFacts& facts,
                        analysis::StackCache& stacks, std::size_t width, Paint paint) {
  TextTable table({{"TIMES", Align::right},
                   {"CHANGE"},
                   {"LATEST", Align::right, false, true},
                   {"AT", Align::left, true}},
                  0);
  for (const PlacedChange& kind : by_place(thread, stacks))
    table.add({std::to_string(kind.count),
               Cell(octal(kind.old_mask) + "->" + octal(kind.new_mask),
                    render::mask_style(kind.new_mask)),
               offset_text(kind.time_ns, facts.begin_ns), kind.place});
  std::string out = table.screen_text(width, paint);
  if (thread.other_changes != 0) out += counted(thread.other_changes, "other change") + '\n';
  return out;
}

std::string creations_table(const std::vector<const LiveCreation*>& made, const LiveFacts& facts,
                            std::size_t width, Paint paint) {
  TextTable table({{"TIME", Align::right}, {"WHAT", Align::left, true}}, 0);
  for (const LiveCreation* one : made)
    table.add({offset_text(one->time_ns, facts.begin_ns), Cell(one->text, one->style)});
  return table.screen_text(width, paint);
}

std::string heading(const LiveView& view, const LiveFacts& facts, const LiveThread& thread,
                    Paint paint) {
  std::string out =
      paint(Style::strong, "Thread " + render::thread_text(thread.name, thread.key.tid)) +
      " of process " + std::to_string(thread.key.pid) +
      (facts.ended.contains(thread.key.pid) ? ", which has ended\n" : "\n");
  if (const std::string& program = view.program(thread.key.pid); !program.empty())
    out += "program " + escape(program) + '\n';
  out += counted(thread.changes, "mask change") + ", " + counted(thread.created, "object") +
         " created\n";
  out += "seen from " + offset_text(thread.first_ns, facts.begin_ns) + " to " +
         offset_text(thread.time_ns, facts.begin_ns) + " s\n";
  if (const LiveContext* context = view.context(thread.fs); context != nullptr) {
    out += "fs context " + std::to_string(context->fs) + ", umask " +
           paint(render::mask_style(context->mask), octal(context->mask)) + ", ";
    out += context->setter.tid == 0
               ? "inherited\n"
               : "set by " + render::thread_text(context->setter_name, context->setter.tid) +
                     " at " + offset_text(context->time_ns, facts.begin_ns) + " s\n";
  }
  return out;
}

}  // namespace

std::string fit_line(const std::string& line, std::size_t width) {
  if (display_width(line) <= width) return line;
  const std::string plain = without_colour(line);
  if (display_width(plain) <= width) return line;
  return width < 5 ? plain.substr(0, width) : elide_middle(plain, width);
}

void add_lines(std::vector<std::string>& out, const std::string& text, std::size_t width) {
  std::size_t at = 0;
  for (std::size_t end; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    out.push_back(fit_line(text.substr(at, end - at), width));
}

std::vector<std::string> help_page(std::size_t width, Paint paint) {
  std::vector<std::string> out;
  add_lines(out, kHelp, width);
  for (std::string& line : out)
    if (line == "Keys" || line == "Words") line = paint(Style::strong, line);
  return out;
}

std::vector<std::string> thread_page(const LiveView& view, const LiveFacts& facts,
                                     analysis::ThreadId key, analysis::StackCache& stacks,
                                     std::size_t width, Paint paint) {
  std::vector<std::string> out;
  const LiveThread* thread = view.thread(key);
  if (thread == nullptr) {
    add_lines(out, "Thread " + std::to_string(key.tid) + " has made nothing and set no mask.\n",
              width);
    return out;
  }
  std::string text = heading(view, facts, *thread, paint);
  if (thread->changes != 0) {
    text += title("Mask changes, by place", paint);
    text += kinds_table(*thread, facts, stacks, width, paint);
    text += title("Stack of the latest", paint);
    const std::string stack = render::event_stack_lines(stacks, thread->last.stack, 2);
    text += stack.empty() ? "  [no stack was recorded]\n" : stack;
  }
  std::vector<const LiveCreation*> made;
  for (const LiveCreation& one : view.creations())
    if (one.thread == key) made.push_back(&one);
  if (!made.empty()) {
    text +=
        title(thread->created > made.size() ? "Created, the latest " + std::to_string(made.size())
                                            : "Created",
              paint);
    text += creations_table(made, facts, width, paint);
  }
  std::string findings;
  for (const FindingLine& finding : facts.findings)
    if (std::find(finding.threads.begin(), finding.threads.end(), key) != finding.threads.end())
      append_wrapped(findings, finding.text, 0, 4, width);
  if (!findings.empty()) text += title("Findings " + facts.findings_note, paint) + findings;
  add_lines(out, text, width);
  return out;
}

std::vector<std::string> finding_page(const FindingLine& finding, std::size_t width) {
  std::vector<std::string> out;
  add_lines(out, finding.more.empty() ? finding.text + '\n' : finding.more, width);
  return out;
}

}  // namespace umaskaudit::live

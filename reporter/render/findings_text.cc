// One finding as text. See findings_text.h.
#include "reporter/render/findings_text.h"

#include <algorithm>
#include <array>
#include <span>

#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kUsualWidth = 100;  // where there is no terminal to ask
constexpr std::size_t kMostLines = 10;    // of one rule and severity
constexpr std::size_t kRulerColumns = 56;
constexpr char kFrame[] = "==================";

std::string who(const EventRef& event) {
  return "thread '" + escape(event.thread) + "' (" + std::to_string(event.tid) + " of process " +
         std::to_string(event.pid) + ")";
}

class Text {
 public:
  Text(std::string& out, const TextContext& context, const Finding& finding)
      : out_(out), context_(context), finding_(finding) {}

  void write() {
    const std::size_t width = context_.width == 0 ? kUsualWidth : context_.width;
    out_ += std::string(kFrame) + '\n';
    out_ += context_.paint(severity_style(finding_.severity), heading()) + '\n';
    append_wrapped(out_, escape(finding_.message), 2, 2, width);
    write_culprit();
    write_story();
    write_victim();
    write_births();
    write_places();
    write_window();
    write_objects();
    out_ += "  Why it matters:\n";
    append_wrapped(out_, finding_.info().explanation, 4, 4, width);
    out_ += "  What to do instead:\n";
    append_wrapped(out_, finding_.advice, 4, 4, width);
    out_ += finding_summary(context_, finding_) + '\n';
    out_ += std::string(kFrame) + '\n';
  }

 private:
  std::string heading() const {
    const RuleInfo& rule = finding_.info();
    std::string words = severity_name(finding_.severity);
    std::transform(words.begin(), words.end(), words.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    words += std::string(": ") + rule.id;
    if (rule.cwe != 0) words += " (CWE-" + std::to_string(rule.cwe) + ")";
    return words + ": " + rule.title;
  }

  void stack_of(const EventRef& event) {
    const std::string lines = event_stack_lines(context_.stacks, event.stack, 4);
    out_ += lines.empty() ? "    [no stack was recorded]\n" : lines;
  }

  void call_line(const char* role, const EventRef& event, const std::string& detail) {
    out_ += "  " + context_.paint(Style::strong, role) + ": ";
    out_ += event.call.empty() ? "" : escape(event.call) + detail + " by ";
    out_ += who(event) + " at " + offset_text(event.time_ns, context_.run.begin_ns()) + " s\n";
    stack_of(event);
  }

  bool is_object_alone() const {
    return !finding_.victims.empty() && finding_.culprit &&
           finding_.victims.front().event.seq == finding_.culprit->seq;
  }

  void write_culprit() {
    if (!finding_.culprit || is_object_alone() || !finding_.story.empty()) return;
    std::string detail;
    if (finding_.window && finding_.culprit->call == "umask")
      detail =
          " " + octal(finding_.window->mask_before) + " -> " + octal(finding_.window->mask_inside);
    const bool opens = finding_.culprit_end && finding_.culprit_end->seq != finding_.culprit->seq;
    call_line("Culprit", *finding_.culprit, detail);
    if (opens && finding_.window) {
      out_ += "  " + context_.paint(Style::strong, "Ended") + " " +
              duration_text(finding_.window->length_ns()) +
              " later: " + escape(finding_.culprit_end->call) + " by " +
              who(*finding_.culprit_end) + "\n";
      stack_of(*finding_.culprit_end);
    }
  }

  void write_story() {
    for (std::size_t i = 0; i < finding_.story.size(); ++i) {
      const StoryStep& step = finding_.story[i];
      out_ += "  " + context_.paint(Style::strong, std::to_string(i + 1) + ".") + " " +
              who(step.event) + " " + escape(step.text) + "\n";
      stack_of(step.event);
    }
  }

  void write_victim() {
    if (finding_.victims.empty()) return;
    const Victim& victim = finding_.victims.front();
    // What was there before the run is known by the call that changed it.
    const bool changed = finding_.at_end && victim.event.call.find("chmod") != std::string::npos;
    const char* role =
        is_object_alone() || finding_.at_end ? changed ? "Changed" : "Created" : "Victim";
    const std::string& path = victim.born_path.empty() ? victim.path : victim.born_path;
    call_line(role, victim.event, path.empty() ? "" : " of '" + escape(path) + "'");
  }

  void birth(const std::optional<EventRef>& born, const EventRef& thread) {
    if (!born) return;
    out_ += "  Thread '" + escape(thread.thread) + "' (" + std::to_string(thread.tid) +
            ") was created by " + who(*born) + "\n";
    stack_of(*born);
  }

  void write_births() {
    if (finding_.culprit) birth(finding_.culprit_born, *finding_.culprit);
    if (!finding_.victims.empty()) {
      const EventRef& victim = finding_.victims.front().event;
      if (!finding_.culprit || victim.tid != finding_.culprit->tid)
        birth(finding_.victim_born, victim);
    }
  }

  void write_places() {
    if (const std::size_t places = finding_.older_prints.size(); places > 1)
      out_ += "  The same happened at " + std::to_string(places) +
              " places in the code; the first one is shown.\n";
  }

  void write_window() {
    if (!finding_.window) return;
    const Window& window = *finding_.window;
    out_ += "  Window: " + duration_text(window.length_ns());
    if (window.open_ended) out_ += ", until the end of the run";
    if (window.count > 1)
      out_ += "; " + std::to_string(window.count) + " such, " + duration_text(window.shortest_ns) +
              " to " + duration_text(window.longest_ns);
    out_ += '\n';
    if (window.length_ns() > 0) out_ += "    " + window_ruler(finding_, kRulerColumns) + '\n';
  }

  void write_objects() {
    if (finding_.victims.empty() || finding_.victims.front().path.empty()) return;
    const bool processes = finding_.rule == RuleId::exec_in_window;
    out_ += processes ? "  Processes" : "  Objects";
    out_ += " (" + std::to_string(finding_.count);
    if (finding_.count > finding_.victims.size())
      out_ += ", the first " + std::to_string(finding_.victims.size());
    out_ += "):\n";
    for (const Victim& victim : finding_.victims) {
      out_ += "    ";
      if (processes) {
        out_ += escape(victim.path) + "  umask " + octal(victim.mask) + " instead of " +
                octal(victim.expected_mask) + '\n';
        continue;
      }
      out_ += octal(victim.mode);
      if (victim.mode != victim.expected) out_ += " instead of " + octal(victim.expected);
      if (victim.kind != trace::Kind::unknown) out_ += std::string("  ") + kind_name(victim.kind);
      out_ += (victim.kind == trace::Kind::unknown ? "  " : " ") + escape(victim.path);
      if (finding_.at_end)
        write_change(victim);
      else
        write_birth(victim);
    }
  }

  void write_birth(const Victim& victim) {
    out_ +=
        "  (asked for " + octal(without_type(victim.requested)) + ", umask " + octal(victim.mask);
    if (victim.mask != victim.expected_mask) out_ += " not " + octal(victim.expected_mask);
    if (victim.ambiguous) out_ += "; the mask moved meanwhile";
    if (!victim.last_path.empty()) out_ += "; now " + escape(victim.last_path);
    if (victim.last_mode)
      out_ += (victim.last_path.empty() ? "; now " : ", ") + octal(*victim.last_mode);
    out_ += ")\n";
  }

  void write_change(const Victim& victim) {
    std::string was;
    if (victim.before) was = octal(*victim.before) + " before";
    if (!victim.born_path.empty())
      was += (was.empty() ? "" : "; ") + ("created as " + escape(victim.born_path));
    out_ += was.empty() ? "\n" : "  (" + was + ")\n";
  }

  std::string& out_;
  const TextContext& context_;
  const Finding& finding_;
};

}  // namespace

Style severity_style(Severity severity) {
  switch (severity) {
    case Severity::note:
      return Style::dim;
    case Severity::warning:
      return Style::warning;
    case Severity::error:
      return Style::bad;
  }
  return Style::bad;
}

std::string window_ruler(const Finding& finding, std::size_t columns) {
  const Window& window = *finding.window;
  std::string bar = octal(window.mask_inside);
  bar.resize(std::max(columns, bar.size() + 1), '=');
  for (const Victim& victim : finding.victims) {
    const std::uint64_t at = victim.event.time_ns;
    if (at < window.begin_ns || at > window.end_ns || window.length_ns() == 0) continue;
    const double part =
        static_cast<double>(at - window.begin_ns) / static_cast<double>(window.length_ns());
    const auto column = static_cast<std::size_t>(part * static_cast<double>(bar.size() - 1));
    bar[std::max<std::size_t>(column, 4)] = '^';
  }
  return octal(window.mask_before) + " |" + bar + "|" +
         (window.open_ended ? ">" : " " + octal(window.mask_before)) +
         (bar.find('^') == std::string::npos ? "" : "  ^ created");
}

std::string finding_summary(const TextContext& context, const Finding& finding) {
  std::string line = std::string("SUMMARY: umaskaudit: ") + finding.info().id;
  const auto add_site = [&](const char* before, const EventRef& event) {
    const std::string where = place_text(context.stacks, event.stack);
    if (!where.empty()) line += before + where;
  };
  const bool hit = !finding.victims.empty();
  if (finding.culprit) add_site(" ", *finding.culprit);
  if (hit && finding.victims.front().event.seq != (finding.culprit ? finding.culprit->seq : 0))
    add_site(finding.at_end ? ", made by " : ", hit ", finding.victims.front().event);
  const char* noun = finding.rule == RuleId::exec_in_window ? "process" : "object";
  if (hit) {
    std::string number = std::to_string(finding.count) + ' ' + noun;
    if (finding.count != 1) number += noun[0] == 'p' ? "es" : "s";
    line += ", " + number;
  } else if (finding.count > 1) {
    line += ", " + counted(finding.count, "time");
  }
  return line;
}

void append_finding(std::string& out, const TextContext& context, const Finding& finding) {
  Text(out, context, finding).write();
}

namespace {

void append_line(std::string& out, const TextContext& context, const Finding& finding,
                 std::size_t indent, const std::string& ending) {
  const std::string severity = severity_name(finding.severity);
  std::string line;
  append_wrapped(line,
                 severity + ": " + finding.info().id + ": " + escape(finding.message) + ending,
                 indent, indent + 4, context.width);
  line.replace(indent, severity.size(), context.paint(severity_style(finding.severity), severity));
  out += line;
}

// `findings` are of one severity.
void append_of_severity(std::string& out, const TextContext& context,
                        std::span<const Finding> findings, std::size_t indent) {
  struct OfRule {
    std::size_t all = 0, shown = 0;
    std::uint64_t count_left_out = 0;
    bool objects = false;
  };
  std::array<OfRule, kRuleCount> rules{};
  const auto of_rule = [&](const Finding& finding) -> OfRule& {
    return rules[static_cast<std::size_t>(finding.rule)];
  };
  for (const Finding& finding : findings) ++of_rule(finding).all;
  for (const Finding& finding : findings) {
    OfRule& rule = of_rule(finding);
    if (finding.severity != Severity::error && rule.shown == kMostLines) {
      rule.count_left_out += finding.count;
      rule.objects |= !finding.victims.empty();
      continue;
    }
    ++rule.shown;
    const std::string where =
        rule.all == 1 || !finding.culprit ? "" : place_text(context.stacks, finding.culprit->stack);
    append_line(out, context, finding, indent, where.empty() ? "" : ", at " + where);
  }
  for (std::size_t i = 0; i < kRuleCount; ++i) {
    const OfRule& rule = rules[i];
    if (rule.all == rule.shown) continue;
    const Severity severity = findings.front().severity;
    out += std::string(indent, ' ') +
           context.paint(severity_style(severity), severity_name(severity)) + ": " +
           rule_info(static_cast<RuleId>(i)).id + ": " +
           counted(rule.all - rule.shown, "more such finding");
    if (rule.objects) out += ", " + counted(rule.count_left_out, "object");
    out += "; umaskaudit check " + escape(context.run.directory()) + " lists all\n";
  }
}

}  // namespace

void append_finding_line(std::string& out, const TextContext& context, const Finding& finding,
                         std::size_t indent) {
  append_line(out, context, finding, indent, "");
}

void append_finding_lines(std::string& out, const TextContext& context,
                          const std::vector<Finding>& findings, std::size_t indent) {
  // They come worst first: all of one severity together.
  for (auto begin = findings.begin(); begin != findings.end();) {
    const auto end = std::find_if(
        begin, findings.end(), [&](const Finding& one) { return one.severity != begin->severity; });
    append_of_severity(out, context, {begin, end}, indent);
    begin = end;
  }
}

}  // namespace umaskaudit

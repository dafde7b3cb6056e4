#include "reporter/render/findings_text.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "reporter/render/mode_text.h"
#include "reporter/render/source_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_table.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::render {
namespace {

constexpr std::size_t kUsualWidth = 100;  // where there is no terminal to ask
constexpr std::size_t kMostLines = 10;    // of one rule and severity
constexpr std::size_t kMostObjects = 3;   // on a screen
constexpr std::size_t kMostHits = 3;      // functions that a cause hit besides the first one
constexpr std::size_t kRulerColumns = 56;
// What is around it: "    0022 |" before, "| 0022  ^ created" behind.
constexpr std::size_t kAroundRuler = 27;

std::string name_of(const rules::EventRef& event) {
  return "thread '" + escape(event.thread) + "'";
}

// `other` has been shown already: what they share is left out.
std::string who(const rules::EventRef& event, const rules::EventRef* other = nullptr) {
  std::string text = name_of(event) + " (" + std::to_string(event.tid);
  if (other == nullptr || other->pid != event.pid)
    text += " of process " + std::to_string(event.pid);
  return text + ")";
}

// Words that a severity is shouted in.
std::string upper(std::string words) {
  std::transform(words.begin(), words.end(), words.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return words;
}

// Whether another thread made the first of its victims: then there is a place that was hit.
bool hits_other(const rules::Finding& finding) {
  return !finding.victims.empty() && finding.victims.front().recorded &&
         (!finding.culprit || finding.victims.front().event.seq != finding.culprit->seq);
}

// "1 object", "3 processes".
std::string hit_count(rules::RuleId rule, std::uint64_t count) {
  if (rule != rules::RuleId::exec_in_window)
    return grouped(count) + (count == 1 ? " object" : " objects");
  return grouped(count) + (count == 1 ? " process" : " processes");
}

class Text {
 public:
  // Writes the first of `group` in full, of the others what they hit.
  Text(std::string& out, const TextContext& context, const CauseGroup& group, bool culprit_known)
      : out_(out),
        context_(context),
        group_(group),
        finding_(*group.front()),
        width_(context.width == 0 ? kUsualWidth : context.width),
        full_(context.stacks.view() != analysis::FrameView::folded),
        culprit_known_(culprit_known && !full_) {}

  void write() {
    write_heading();
    append_wrapped(out_, message_text(context_, finding_), 2, 2, width_);
    write_culprit();
    write_story();
    write_victim();
    write_births();
    write_places();
    write_window();
    write_objects(finding_, 2);
    write_others();
    out_ += finding_summary(context_, group_) + '\n';
  }

 private:
  void write_heading() {
    const rules::RuleInfo& rule = finding_.info();
    const std::string severity = upper(rules::severity_name(finding_.severity));
    std::string words = severity + ": " + rule.id;
    if (rule.cwe != 0) words += " (CWE-" + std::to_string(rule.cwe) + ")";
    std::string text;
    append_wrapped(text, words + ": " + rule.title, 0, 4, width_);
    text.pop_back();
    out_ += context_.paint(severity_style(finding_.severity), text) + '\n';
  }

  // `role`, painted, then the text behind it.
  void line(const std::string& role, const std::string& text) {
    std::string lines;
    append_wrapped(lines, role + text, 2, 6, width_);
    lines.replace(2, role.size(), context_.paint(Style::strong, role));
    out_ += lines;
  }

  void stack_of(const rules::EventRef& event) {
    const std::string lines = event_stack_lines(context_.stacks, event.stack, 4, context_.root);
    out_ += lines.empty() ? "    [no stack was recorded]\n" : lines;
  }

  void source_of(const rules::EventRef& event, const std::string& label) {
    out_ += source_text(context_.stacks, event.stack, context_.run.real_ns(event.time_ns),
                        event.call, label, 4, width_);
  }

  // With all frames the whole stack, else its own place alone, which is returned.
  std::string place_of(const rules::EventRef& event) {
    const std::string place = full_ ? "" : place_text(context_.stacks, event.stack);
    return place.empty() ? "" : " at " + place;
  }

  void call_line(const char* role, const rules::EventRef& event, const std::string& detail,
                 const std::string& when, const std::string& label) {
    line(role, ": " + (event.call.empty() ? "" : escape(event.call) + detail + " by ") +
                   who(event, other_than(event)) + when);
    stack_of(event);
    source_of(event, label);
  }

  // The victim's side follows the culprit's.
  const rules::EventRef* other_than(const rules::EventRef& event) const {
    if (!finding_.culprit || finding_.victims.empty()) return nullptr;
    const rules::EventRef& victim = finding_.victims.front().event;
    return event.seq == finding_.culprit->seq ? &victim : &*finding_.culprit;
  }

  std::string at(const rules::EventRef& event) const {
    return offset_text(event.time_ns, context_.run.begin_ns()) + " s";
  }

  bool is_object_alone() const {
    return !finding_.victims.empty() && finding_.culprit &&
           finding_.victims.front().event.seq == finding_.culprit->seq;
  }

  void write_culprit() {
    if (!finding_.culprit || is_object_alone() || !finding_.steps.empty()) return;
    const rules::EventRef& culprit = *finding_.culprit;
    if (culprit_known_)
      return line("Culprit", ": " + place_text(context_.stacks, culprit.stack) + ", as above");
    std::string masks;
    if (finding_.window && culprit.call == "umask")
      masks = octal(finding_.window->mask_before) + " -> " + octal(finding_.window->mask_inside);
    call_line("Culprit", culprit, masks.empty() ? "" : ' ' + masks, " at " + at(culprit), masks);
    if (!finding_.culprit_end || !finding_.window || finding_.culprit_end->seq == culprit.seq)
      return;
    const rules::EventRef& end = *finding_.culprit_end;
    const bool same = end.tid == culprit.tid && end.pid == culprit.pid;
    line("Ended", ' ' + duration_text(finding_.window->length_ns()) + " later by " +
                      escape(end.call) + (same ? "" : " of " + who(end, &culprit)) + place_of(end));
    if (full_) stack_of(end);
  }

  void write_story() {
    for (std::size_t i = 0; i < finding_.steps.size(); ++i) {
      const rules::SequenceStep& step = finding_.steps[i];
      out_ += "  " + context_.paint(Style::strong, std::to_string(i + 1) + ".") + " " +
              who(step.event) + " " + escape(step.text) + "\n";
      stack_of(step.event);
    }
  }

  // When the call returned, which is when its record was made; the kernel looked at the mask
  // before that.
  std::string when(const rules::Victim& victim) const {
    const rules::EventRef& event = victim.event;
    if (is_object_alone() || finding_.at_end || !finding_.window || !finding_.culprit)
      return " at " + at(event);
    const rules::Window& window = *finding_.window;
    std::string text;
    if (victim.began_before)
      text = ", began before " + at(*finding_.culprit) + ", when that umask returned, and";
    else
      text = ",";
    text += " returned at " + at(event);
    if (!window.open_ended && event.time_ns > window.end_ns)
      text += ", " + duration_text(event.time_ns - window.end_ns) + " after the window closed";
    return text;
  }

  void write_victim() {
    if (finding_.victims.empty()) return;
    const rules::Victim& victim = finding_.victims.front();
    if (!victim.recorded)
      return line("Created", ": at " + at(victim.event) +
                                 " by something that could not be recorded; the blind spots below "
                                 "say what there was");
    // Of an object that is older than the run, only the call that changed it is known.
    const bool changed = finding_.at_end && victim.event.call.find("chmod") != std::string::npos;
    const char* role =
        is_object_alone() || finding_.at_end ? changed ? "Changed" : "Created" : "Victim";
    const std::string& path = victim.born_path.empty() ? victim.path : victim.born_path;
    std::string label;
    if (!finding_.at_end && victim.mode != victim.expected && victim.expected_mask != victim.mask)
      label = octal(victim.mode) + " instead of " + octal(victim.expected);
    call_line(role, victim.event, path.empty() ? "" : " of '" + shown_path(context_, path) + "'",
              when(victim), label);
  }

  void birth(const std::optional<rules::EventRef>& born, const rules::EventRef& thread) {
    if (!born) return;
    line("", "Thread '" + escape(thread.thread) + "' (" + std::to_string(thread.tid) +
                 ") was created by " + name_of(*born) + place_of(*born));
    if (full_) stack_of(*born);
  }

  void write_births() {
    if (finding_.culprit && !culprit_known_) birth(finding_.culprit_born, *finding_.culprit);
    if (!finding_.victims.empty()) {
      const rules::EventRef& victim = finding_.victims.front().event;
      if (!finding_.culprit || victim.tid != finding_.culprit->tid)
        birth(finding_.victim_born, victim);
    }
  }

  void write_places() {
    if (const std::size_t places = finding_.older_prints.size(); places > 1)
      line("", "The same happened at " + std::to_string(places) +
                   " places in the code; the first one is shown.");
  }

  void write_window() {
    if (!finding_.window) return;
    const rules::Window& window = *finding_.window;
    const bool has_steps = finding_.culprit_end && finding_.steps.empty() && !is_object_alone();
    if (full_ || !has_steps || window.open_ended) write_length(window);
    if (window.length_ns() > 0 && (full_ || !finding_.victims.empty()))
      out_ +=
          "    " + window_ruler(finding_, std::min(kRulerColumns, width_ - kAroundRuler)) + '\n';
  }

  void write_length(const rules::Window& window) {
    std::string text = ": open for " + duration_text(window.length_ns());
    if (window.open_ended) text += ", until the end of the run";
    if (window.count > 1)
      text += " (" + grouped(window.count) + (finding_.victims.empty() ? " times, " : " hit, ") +
              duration_text(window.shortest_ns) + " to " + duration_text(window.longest_ns) + ")";
    line("Window", text);
  }

  // What the same cause hit elsewhere: the place, and one of the objects.
  void write_others() {
    std::size_t shown = 0;
    for (const rules::Finding* other : group_) {
      if (other == &finding_ || other->victims.empty() || !other->victims.front().recorded)
        continue;
      if (!full_ && shown == kMostHits) break;
      ++shown;
      const std::string place = place_text(context_.stacks, other->victims.front().event.stack);
      line(std::string("Also ") + hit_verb(*other),
           (place.empty() ? "" : ' ' + place) + ", by " +
               who(other->victims.front().event, finding_.culprit ? &*finding_.culprit : nullptr));
      if (full_) stack_of(other->victims.front().event);
      write_objects(*other, 4);
    }
    const std::size_t others = group_.size() - 1;
    if (shown < others && shown == kMostHits)
      line("", "... and " + counted(others - shown, "more function") + " (--all-frames)");
  }

  void write_objects(const rules::Finding& finding, std::size_t indent) {
    if (finding.victims.empty() || finding.victims.front().path.empty()) return;
    const bool processes = finding.rule == rules::RuleId::exec_in_window;
    const std::size_t most = &finding == &finding_ ? kMostObjects : 1;
    const std::size_t shown =
        full_ ? finding.victims.size() : std::min(most, finding.victims.size());
    out_ += std::string(indent, ' ') + (processes ? "Processes" : "Objects");
    out_ += " (" + grouped(finding.count);
    if (finding.count > shown) out_ += ", the first " + std::to_string(shown);
    out_ += "):\n";
    for (std::size_t i = 0; i < shown; ++i) {
      const rules::Victim& victim = finding.victims[i];
      if (processes) {
        append_wrapped(out_,
                       escape(victim.path) + "  umask " + octal(victim.mask) + " instead of " +
                           octal(victim.expected_mask),
                       indent + 2, indent + 6, width_);
        continue;
      }
      std::string text = octal(victim.mode);
      if (victim.mode != victim.expected) text += " instead of " + octal(victim.expected);
      if (victim.kind != trace::Kind::unknown) text += std::string("  ") + kind_name(victim.kind);
      text += (victim.kind == trace::Kind::unknown ? "  " : " ") +
              shown_path(context_, victim.path) +
              (finding.at_end ? change_text(victim) : birth_text(victim));
      append_wrapped(out_, text, indent + 2, indent + 6, width_);
    }
  }

  std::string birth_text(const rules::Victim& victim) const {
    std::string text =
        "  (requested " + octal(without_type(victim.requested)) + ", umask " + octal(victim.mask);
    if (victim.mask != victim.expected_mask) text += " not " + octal(victim.expected_mask);
    if (victim.ambiguous && full_) text += "; the umask changed during the call";
    if (!victim.last_path.empty()) text += "; now " + shown_path(context_, victim.last_path);
    if (victim.last_mode)
      text += (victim.last_path.empty() ? "; now " : ", ") + octal(*victim.last_mode);
    return text + ")";
  }

  std::string change_text(const rules::Victim& victim) const {
    std::string was;
    if (victim.before) was = octal(*victim.before) + " before";
    if (!victim.born_path.empty())
      was += (was.empty() ? "" : "; ") + ("created as " + shown_path(context_, victim.born_path));
    return was.empty() ? "" : "  (" + was + ")";
  }

  std::string& out_;
  const TextContext& context_;
  const CauseGroup& group_;
  const rules::Finding& finding_;
  const std::size_t width_;
  const bool full_;  // all frames, and all that a finding keeps
  const bool culprit_known_;
};

}  // namespace

constexpr char kFrame[] = "==================";

Style severity_style(rules::Severity severity) {
  switch (severity) {
    case rules::Severity::note:
      return Style::dim;
    case rules::Severity::warning:
      return Style::warning;
    case rules::Severity::error:
      return Style::bad;
  }
  return Style::bad;
}

std::string message_text(const TextContext& context, const rules::Finding& finding) {
  std::string message = escape(finding.message);
  if (context.root.size() < 2) return message;
  // Messages name paths in quotation marks.
  const std::string root = '\'' + escape(context.root) + '/';
  for (std::size_t at = 0; (at = message.find(root, at)) != std::string::npos; ++at)
    message.erase(at + 1, root.size() - 1);
  return message;
}

std::string window_ruler(const rules::Finding& finding, std::size_t columns) {
  const rules::Window& window = *finding.window;
  std::string bar = octal(window.mask_inside);
  bar.resize(std::max(columns, bar.size() + 1), '=');
  for (const rules::Victim& victim : finding.victims) {
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

const char* hit_verb(const rules::Finding& finding) { return finding.at_end ? "made by" : "hit"; }

std::vector<std::string> hit_places(const TextContext& context, const CauseGroup& group) {
  std::vector<std::string> places;
  for (const rules::Finding* finding : group) {
    if (!hits_other(*finding)) continue;
    std::string place = place_text(context.stacks, finding->victims.front().event.stack);
    if (!place.empty() && std::find(places.begin(), places.end(), place) == places.end())
      places.push_back(std::move(place));
  }
  return places;
}

std::string finding_summary(const TextContext& context, const CauseGroup& group) {
  const rules::Finding& finding = *group.front();
  std::string line = std::string("SUMMARY: umaskaudit: ") + finding.info().id;
  const auto add_site = [&](const std::string& before, const rules::EventRef& event) {
    const std::string where = place_text(context.stacks, event.stack);
    if (!where.empty()) line += before + where;
  };
  if (finding.culprit) add_site(" ", *finding.culprit);
  if (hits_other(finding))
    add_site(std::string(", ") + hit_verb(finding) + ' ', finding.victims.front().event);
  if (group.size() > 1) line += " and " + counted(group.size() - 1, "more function");
  std::uint64_t count = 0;
  for (const rules::Finding* one : group) count += one->count;
  if (!finding.victims.empty())
    line += ", " + hit_count(finding.rule, count);
  else if (count > 1)
    line += ", " + counted(count, "time");
  return line;
}

void append_finding(std::string& out, const TextContext& context, const rules::Finding& finding) {
  Text(out, context, {&finding}, false).write();
}

void FindingTexts::append(std::string& out, const CauseGroup& group) {
  const rules::Finding& finding = *group.front();
  bool known = false;
  if (finding.culprit && finding.steps.empty()) {
    const std::string place = place_text(context_.stacks, finding.culprit->stack);
    known = !place.empty() && !shown_.emplace(finding.culprit->tid, place).second;
  }
  if (!first_) out += std::string(kFrame) + '\n';
  first_ = false;
  Text(out, context_, group, known).write();
}

namespace {

// Where it happened: the places, and the lines of the sources that are known.
void append_places(std::string& out, const TextContext& context, const CauseGroup& group,
                   std::size_t indent) {
  const rules::Finding& finding = *group.front();
  if (!finding.culprit) return;
  analysis::StackCache& stacks = context.stacks;
  const rules::EventRef& culprit = *finding.culprit;
  const rules::EventRef* victim = hits_other(finding) ? &finding.victims.front().event : nullptr;
  std::string text = place_text(stacks, culprit.stack);
  if (!text.empty()) text = "at " + text;
  const std::vector<std::string> hits = hit_places(context, group);
  for (std::size_t i = 0; i < std::min(kMostHits, hits.size()); ++i)
    text += (i != 0 ? ", " : (text.empty() ? "" : ", ") + std::string(hit_verb(finding)) + ' ') +
            hits[i];
  if (hits.size() > kMostHits) text += " and " + counted(hits.size() - kMostHits, "more function");
  if (!text.empty()) append_wrapped(out, text, indent, indent + 2, context.width);
  const auto add_source = [&](const rules::EventRef& event) {
    out += source_text(stacks, event.stack, context.run.real_ns(event.time_ns), event.call, "",
                       indent, context.width);
  };
  add_source(culprit);
  if (victim != nullptr) add_source(*victim);
}

void append_line(std::string& out, const TextContext& context, const rules::Finding& finding,
                 std::size_t indent) {
  const std::string severity = rules::severity_name(finding.severity);
  std::string line;
  append_wrapped(line, severity + ": " + finding.info().id + ": " + message_text(context, finding),
                 indent, indent + 4, context.width);
  line.replace(indent, severity.size(), context.paint(severity_style(finding.severity), severity));
  out += line;
}

// `groups` are of one severity.
void append_of_severity(std::string& out, const TextContext& context,
                        std::span<const CauseGroup> groups, std::size_t indent) {
  struct OfRule {
    std::size_t all = 0, shown = 0;
    std::uint64_t count_left_out = 0;
    bool objects = false;
  };
  std::array<OfRule, rules::kRuleCount> rules{};
  const auto of_rule = [&](const CauseGroup& group) -> OfRule& {
    return rules[static_cast<std::size_t>(group.front()->rule)];
  };
  for (const CauseGroup& group : groups) ++of_rule(group).all;
  for (const CauseGroup& group : groups) {
    OfRule& rule = of_rule(group);
    const rules::Severity severity = group.front()->severity;
    if (severity != rules::Severity::error && rule.shown == kMostLines) {
      for (const rules::Finding* finding : group) {
        rule.count_left_out += finding->count;
        rule.objects |= !finding->victims.empty();
      }
      continue;
    }
    ++rule.shown;
    append_line(out, context, *group.front(), indent);
    if (severity != rules::Severity::note) append_places(out, context, group, indent + 4);
  }
  for (std::size_t i = 0; i < rules::kRuleCount; ++i) {
    const OfRule& rule = rules[i];
    if (rule.all == rule.shown) continue;
    const rules::Severity severity = groups.front().front()->severity;
    out += std::string(indent, ' ') +
           context.paint(severity_style(severity), rules::severity_name(severity)) + ": " +
           rules::rule_info(static_cast<rules::RuleId>(i)).id + ": " +
           counted(rule.all - rule.shown, "more such finding");
    if (rule.objects) out += ", " + counted(rule.count_left_out, "object");
    out += "; all: umaskaudit check " + escape(context.run.directory()) + '\n';
  }
}

}  // namespace

void append_finding_line(std::string& out, const TextContext& context,
                         const rules::Finding& finding, std::size_t indent) {
  append_line(out, context, finding, indent);
}

void append_finding_lines(std::string& out, const TextContext& context,
                          const std::vector<rules::Finding>& findings, std::size_t indent) {
  // They come worst first: all of one severity together.
  const std::vector<CauseGroup> groups = by_cause(findings);
  for (auto begin = groups.begin(); begin != groups.end();) {
    const auto end = std::find_if(begin, groups.end(), [&](const CauseGroup& one) {
      return one.front()->severity != begin->front()->severity;
    });
    append_of_severity(out, context, {begin, end}, indent);
    begin = end;
  }
}

std::string verdict_text(const std::vector<rules::Finding>& findings, const Paint& paint) {
  std::array<std::size_t, 3> counts{};
  for (const CauseGroup& group : by_cause(findings))
    ++counts[static_cast<std::size_t>(group.front()->severity)];
  std::string text;
  for (const rules::Severity severity :
       {rules::Severity::error, rules::Severity::warning, rules::Severity::note}) {
    const std::size_t count = counts[static_cast<std::size_t>(severity)];
    if (count == 0) continue;
    const Style style = severity == rules::Severity::note ? Style::plain : severity_style(severity);
    text +=
        (text.empty() ? "" : ", ") + paint(style, counted(count, rules::severity_name(severity)));
  }
  return text.empty() ? paint(Style::good, "No findings") : text;
}

void append_hit_objects(std::string& out, const TextContext& context,
                        const std::vector<rules::Finding>& findings) {
  constexpr std::size_t kMostRows = 10;
  TextTable table({{"MODE"},
                   {"NOT"},
                   {"PATH", Align::left, true, false, 32},
                   {"WHERE", Align::left, true, false, 20},
                   {"RULE", Align::left, false, true}});
  std::size_t rows = 0;
  std::uint64_t all = 0;
  for (const rules::Finding& finding : findings) {
    if (finding.severity == rules::Severity::note || finding.at_end || !finding.window ||
        finding.victims.empty() || finding.rule == rules::RuleId::exec_in_window)
      continue;
    all += finding.count;
    for (const rules::Victim& victim : finding.victims) {
      if (rows == kMostRows) break;
      ++rows;
      table.add({Cell(octal(victim.mode), mode_style(victim.mode)), octal(victim.expected),
                 shown_path(context, victim.path), place_text(context.stacks, victim.event.stack),
                 finding.info().id});
    }
  }
  if (rows == 0) return;
  out += context.paint(Style::strong, "Objects hit") + '\n';
  out += table.screen_text(context.width, context.paint);
  if (all > rows)
    append_wrapped(out,
                   "... and " + std::to_string(all - rows) + " more" + "; all: umaskaudit check " +
                       escape(context.run.directory()) + " --objects FILE",
                   2, 4, context.width);
  out += '\n';
}

}  // namespace umaskaudit::render

// The parts of the page's data that are written behind the events: numbers, findings, blind spots.
// Must never say anything else than the other formats: Summary and Finding are theirs, too.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "reporter/render/causes.h"
#include "reporter/render/dropped.h"
#include "reporter/render/html/html.h"
#include "reporter/text/escape.h"

namespace umaskaudit::render {
namespace {

constexpr std::size_t kMostFindings = 500;
constexpr std::size_t kMostCulprits = 500;
constexpr std::size_t kMostDropped = 500;

std::int64_t since(std::uint64_t time_ns, std::uint64_t begin_ns) {
  return static_cast<std::int64_t>(time_ns - begin_ns);
}

void write_window(JsonWriter& json, const rules::Window& window, std::uint64_t begin_ns) {
  json.begin_object("window");
  json.integer("begin", since(window.begin_ns, begin_ns));
  json.integer("end", since(window.end_ns, begin_ns));
  json.boolean("open", window.open_ended);
  json.number("before", window.mask_before);
  json.number("inside", window.mask_inside);
  json.number("count", window.count);
  json.number("shortest", window.shortest_ns);
  json.number("longest", window.longest_ns);
  json.end_object();
}

}  // namespace

void HtmlReport::write_run(JsonWriter& json, const Heading& heading) const {
  const reader::Run& run = context_.run;
  json.begin_object("run");
  json.text("directory", escape(run.directory()));
  // For commands that are pasted somewhere else.
  std::error_code error;
  const std::filesystem::path place = std::filesystem::absolute(run.directory(), error);
  json.text("place", escape(error ? run.directory() : place.lexically_normal().string()));
  json.text("program", escape(program_of(run, heading)));
  json.text("ending", escape(heading.ending));
  json.text("started", started_text(run, heading));
  json.number("span", run.end_ns() - run.begin_ns());
  json.boolean("filtered", !options_.filter.empty());
  json.text("sort", options_.sort);
  json.boolean("complete", summary_.blind_spots.empty() && run.completeness().losses.empty());
  if (const std::string dropped = dropped_text(run); !dropped.empty())
    json.text("dropped", dropped);
  json.end_object();
}

// What was counted and not recorded: [count, call, what, mask, mode or -1, where, first, last].
void HtmlReport::write_dropped(JsonWriter& json) {
  const std::vector<DroppedRow> rows = dropped_rows(context_.run.dropped(), context_.stacks);
  std::uint64_t objects = 0;
  for (const DroppedRow& row : rows)
    if (row.events.type == trace::RecordType::create && row.events.error == 0 &&
        row.events.created != trace::Created::no)
      objects += row.events.count;
  for (const auto& [kind, count] : context_.run.dropped().segment_objects) objects += count;
  json.number("dropped_objects", objects);
  json.number("dropped_total", rows.size());
  json.begin_array("dropped");
  for (std::size_t i = 0; i < std::min(rows.size(), kMostDropped); ++i) {
    const DroppedEvents& events = rows[i].events;
    const bool change = events.type == trace::RecordType::umask;
    json.begin_array();
    json.element(events.count);
    json.element(tables_.text(events.call));
    json.element(std::string_view(dropped_what(events)));
    json.element(std::string_view(dropped_mask(events)));
    json.integer(change || !events.mode ? -1 : static_cast<std::int64_t>(*events.mode));
    json.element(std::string_view(rows[i].where));
    json.integer(since(events.first_ns, context_.run.begin_ns()));
    json.integer(since(events.last_ns, context_.run.begin_ns()));
    json.end_array();
  }
  json.end_array();
}

void HtmlReport::write_counts(JsonWriter& json) const {
  json.begin_object("counts");
  json.number("events", summary_.events);
  json.number("processes", summary_.processes);
  json.number("threads", summary_.threads);
  json.number("changes", summary_.mask_changes);
  json.number("created", summary_.created);
  json.number("unsure", summary_.unsure);
  json.number("existing", summary_.existing);
  json.number("failed", summary_.failed);
  json.number("ambiguous", summary_.ambiguous);
  json.number("chmods", summary_.chmods);
  json.end_object();
  // Totals by kind, of which the page may show only some.
  json.begin_object("totals");
  json.number("objects", objects_.total);
  json.number("changes", changes_.total);
  json.number("fates", fates_.total);
  json.number("processes", processes_.total);
  json.number("notes", notes_.total);
  json.number("findings", findings_.result.findings.size());
  json.end_object();
}

void HtmlReport::write_culprits(JsonWriter& json) {
  const std::vector<Culprit> all = culprits(summary_, context_.stacks);
  json.number("culprits_total", all.size());
  json.begin_array("culprits");
  for (std::size_t i = 0; i < std::min(all.size(), kMostCulprits); ++i) {
    const analysis::MaskChanges& changes = all[i].changes;
    json.begin_object();
    json.number("pid", changes.who.pid);
    json.number("tid", changes.who.tid);
    json.text("thread", escape(changes.thread));
    json.text("where", all[i].where);
    json.number("stack", tables_.stack(changes.stack));
    // Short processes that do the same at the same place are one row.
    if (all[i].processes > 1) json.number("processes", all[i].processes);
    json.number("count", changes.count);
    json.number("drifts", changes.drifts);
    json.number("widest", widest_mask(changes));
    json.text("masks", transitions_text(changes));
    json.integer("first", since(changes.first_ns, context_.run.begin_ns()));
    json.number("held", changes.held_ns);
    json.number("longest", changes.longest_ns);
    json.end_object();
  }
  json.end_array();
}

void HtmlReport::write_unseen(JsonWriter& json) const {
  json.begin_array("blind_spots");
  for (const analysis::BlindSpots& spot : summary_.blind_spots) {
    json.begin_object();
    json.text("reason", blind_name(spot.reason));
    json.text("text", escape(spot.text));
    json.text("advice", blind_advice(spot.reason));
    json.number("count", spot.count);
    json.end_object();
  }
  json.end_array();
  json.begin_array("losses");
  for (const LossEvent& loss : context_.run.completeness().losses) {
    json.begin_object();
    json.text("reason", escape(loss.reason));
    json.text("detail", escape(loss.detail));
    json.number("count", loss.count);
    json.end_object();
  }
  json.end_array();
  json.begin_array("symbol_notes");
  for (const std::string& note : context_.stacks.notes())
    json.element(std::string_view(escape(note)));
  json.end_array();
  const rules::FindStats& stats = findings_.result.stats;
  json.number("unresolved", stats.unresolved);
}

// [umask id that opened it, id that closed it or 0, ...], of the changes that have a row.
void HtmlReport::write_windows(JsonWriter& json) const {
  std::vector<std::uint32_t> shown = change_ids_;
  std::sort(shown.begin(), shown.end());
  json.begin_array("windows");
  for (const auto& [open, close] : findings_.windows) {
    if (!std::binary_search(shown.begin(), shown.end(), open)) continue;
    json.element(std::uint64_t{open});
    json.element(std::uint64_t{close});
  }
  json.end_array();
}

// [fs, part of the run, changes without a row, least and most mask, ...]
void HtmlReport::write_gaps(JsonWriter& json) {
  json.number("gap_ns", gap_ns_);
  json.begin_array("gaps");
  for (auto& [fs, recent] : recent_) {
    while (!recent.changes.empty()) forget_oldest(recent);
    for (const auto& [part, gap] : recent.gaps)
      for (const std::uint64_t value :
           {std::uint64_t{fs}, part, gap.count, std::uint64_t{gap.least}, std::uint64_t{gap.most}})
        json.element(value);
  }
  json.end_array();
}

// [fs, time of the last event, ...] of the contexts whose processes may have ended before the run.
void HtmlReport::write_ends(JsonWriter& json) const {
  json.begin_array("ends");
  for (const auto& [fs, seen] : seen_) {
    if (seen.first_process || seen.last_ns >= context_.run.end_ns()) continue;
    json.element(std::uint64_t{fs});
    json.integer(since(seen.last_ns, context_.run.begin_ns()));
  }
  json.end_array();
}

// [time, who, stack, call, row of objects_ or -1, umask id or 0]
void HtmlReport::write_event(JsonWriter& json, std::string_view key, const rules::EventRef& event) {
  if (key.empty())
    json.begin_array();
  else
    json.begin_array(key);
  const auto row = named_rows_.find(event.seq);
  json.integer(since(event.time_ns, context_.run.begin_ns()));
  json.element(tables_.who(event));
  json.element(tables_.stack(event.stack));
  json.element(tables_.text(event.call));
  json.integer(row == named_rows_.end() ? -1 : static_cast<std::int64_t>(row->second));
  json.element(event.id);
  json.end_array();
}

void HtmlReport::write_finding(JsonWriter& json, const rules::Finding& finding) {
  const rules::RuleInfo& rule = finding.info();
  json.begin_object();
  json.number("rule", static_cast<std::uint64_t>(finding.rule));
  json.text("severity", rules::severity_name(finding.severity));
  json.text("message", escape(finding.message));
  if (finding.advice != rule.advice) json.text("advice", escape(finding.advice));
  json.number("count", finding.count);
  json.text("fingerprint", finding.fingerprint);
  // The places in the code that are this one finding, of which one is shown.
  if (finding.older_prints.size() > 1) json.number("places", finding.older_prints.size());
  if (finding.culprit) write_event(json, "culprit", *finding.culprit);
  if (finding.culprit_end) write_event(json, "end", *finding.culprit_end);
  if (finding.culprit_born) write_event(json, "culprit_born", *finding.culprit_born);
  if (finding.victim_born) write_event(json, "victim_born", *finding.victim_born);
  if (finding.window) write_window(json, *finding.window, context_.run.begin_ns());
  json.begin_array("story");
  for (const rules::SequenceStep& one : finding.steps) {
    json.begin_object();
    write_event(json, "event", one.event);
    json.text("text", escape(one.text));
    json.end_object();
  }
  json.end_array();
  json.begin_array("victims");
  for (const rules::Victim& victim : finding.victims) {
    json.begin_object();
    if (victim.recorded) write_event(json, "event", victim.event);
    json.text("path", escape(victim.path));
    json.text("kind", kind_name(victim.kind));
    json.number("requested", victim.requested & 07777);
    json.number("mask", victim.mask);
    json.number("expected_mask", victim.expected_mask);
    json.number("mode", victim.mode);
    json.number("expected", victim.expected);
    json.boolean("ambiguous", victim.ambiguous);
    if (victim.began_before) json.boolean("began_before", true);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void HtmlReport::write_findings(JsonWriter& json) {
  const std::vector<rules::Finding>& all = findings_.result.findings;
  json.begin_array("findings");
  for (std::size_t i = 0; i < std::min(all.size(), kMostFindings); ++i) write_finding(json, all[i]);
  json.end_array();
  // Of those that an earlier one of the same cause stands for in the verdict: [finding, that one].
  json.begin_array("same_causes");
  for (const CauseGroup& group : by_cause(all))
    for (std::size_t i = 1; i < group.size(); ++i) {
      const auto number = static_cast<std::size_t>(group[i] - all.data());
      if (number >= kMostFindings) continue;
      json.begin_array();
      json.element(std::uint64_t{number});
      json.element(static_cast<std::uint64_t>(group.front() - all.data()));
      json.end_array();
    }
  json.end_array();
  json.begin_array("rules");
  for (std::size_t i = 0; i < rules::kRuleCount; ++i) {
    const rules::RuleInfo& rule = rules::rule_info(static_cast<rules::RuleId>(i));
    json.begin_object();
    json.text("id", rule.id);
    json.number("cwe", rule.cwe);
    json.text("title", rule.title);
    json.text("explanation", rule.explanation);
    json.text("advice", rule.advice);
    json.end_object();
  }
  json.end_array();
}

}  // namespace umaskaudit::render

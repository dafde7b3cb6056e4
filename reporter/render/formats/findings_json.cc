#include "reporter/render/formats/findings_json.h"

#include <algorithm>

#include "reporter/render/mode_text.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::render {
namespace {

void event_fields(JsonWriter& json, const rules::EventRef& event) {
  json.number("seq", event.seq);
  if (event.id != 0) json.number("id", event.id);
  json.number("time_ns", event.time_ns);
  json.number("pid", event.pid);
  json.number("tid", event.tid);
  json.bytes("thread", event.thread);
  json.number("fs", event.fs);
  json.bytes("call", event.call);
}

void event(JsonWriter& json, std::string_view key, const std::optional<rules::EventRef>& event) {
  if (!event) return;
  json.begin_object(key);
  event_fields(json, *event);
  json.end_object();
}

void victims(JsonWriter& json, const rules::Finding& finding) {
  json.begin_array("victims");
  for (const rules::Victim& victim : finding.victims) {
    json.begin_object();
    event_fields(json, victim.event);
    if (!victim.recorded) json.boolean("recorded", false);
    json.bytes("path", victim.path);
    json.text("kind", kind_name(victim.kind));
    json.mode("requested", without_type(victim.requested));
    json.mode("mask", victim.mask);
    json.mode("expected_mask", victim.expected_mask);
    json.mode("mode", victim.mode);
    json.mode("expected", victim.expected);
    json.boolean("ambiguous", victim.ambiguous);
    if (victim.began_before && finding.culprit)
      json.number("began_before_ns", finding.culprit->time_ns);
    if (victim.before) json.mode("before", *victim.before);
    if (!victim.born_path.empty()) json.bytes("born_path", victim.born_path);
    if (!victim.last_path.empty()) json.bytes("last_path", victim.last_path);
    if (victim.last_mode) json.mode("last_mode", *victim.last_mode);
    json.end_object();
  }
  json.end_array();
}

void window(JsonWriter& json, const rules::Finding& finding) {
  if (!finding.window) return;
  const rules::Window& window = *finding.window;
  json.begin_object("window");
  json.number("begin_ns", window.begin_ns);
  json.number("end_ns", window.end_ns);
  json.boolean("open_ended", window.open_ended);
  json.mode("mask_before", window.mask_before);
  json.mode("mask_inside", window.mask_inside);
  json.number("count", window.count);
  json.number("shortest_ns", window.shortest_ns);
  json.number("longest_ns", window.longest_ns);
  json.end_object();
}

void steps(JsonWriter& json, const rules::Finding& finding) {
  if (finding.steps.empty()) return;
  json.begin_array("story");
  for (const rules::SequenceStep& step : finding.steps) {
    json.begin_object();
    event_fields(json, step.event);
    json.bytes("text", step.text);
    json.end_object();
  }
  json.end_array();
}

// Every event that the finding names, by seq: to be looked up among the other lines.
void events(JsonWriter& json, const rules::Finding& finding) {
  json.begin_array("events");
  if (finding.culprit) json.element(finding.culprit->seq);
  if (finding.culprit_end) json.element(finding.culprit_end->seq);
  for (const rules::SequenceStep& step : finding.steps) json.element(step.event.seq);
  for (const rules::Victim& victim : finding.victims)
    if (victim.recorded) json.element(victim.event.seq);
  json.end_array();
}

const char* baseline_name(rules::BaselineState state) {
  switch (state) {
    case rules::BaselineState::none:
      return "none";
    case rules::BaselineState::fresh:
      return "new";
    case rules::BaselineState::unchanged:
      return "unchanged";
  }
  return "none";
}

}  // namespace

void write_finding(JsonWriter& json, const rules::Finding& finding) {
  const rules::RuleInfo& rule = finding.info();
  json.begin_object();
  json.text("type", "finding");
  if (finding.culprit)
    event_fields(json, *finding.culprit);
  else if (!finding.victims.empty())
    event_fields(json, finding.victims.front().event);
  json.text("rule", rule.id);
  json.text("severity", rules::severity_name(finding.severity));
  if (rule.cwe == 0)
    json.null("cwe");
  else
    json.text("cwe", "CWE-" + std::to_string(rule.cwe));
  json.text("title", rule.title);
  json.bytes("message", finding.message);
  json.text("advice", finding.advice);
  json.number("count", finding.count);
  json.text("judged", finding.at_end ? "end" : "birth");
  json.number("processes", finding.processes);
  json.number("threads", finding.threads);
  json.number("places", std::max<std::size_t>(finding.older_prints.size(), 1));
  if (!finding.program.empty()) json.bytes("program", finding.program);
  json.text("fingerprint", finding.fingerprint);
  json.text("baseline", baseline_name(finding.baseline));
  if (!finding.suppressed_by.empty()) json.bytes("suppressed_by", finding.suppressed_by);
  events(json, finding);
  event(json, "culprit", finding.culprit);
  event(json, "culprit_end", finding.culprit_end);
  event(json, "culprit_born", finding.culprit_born);
  event(json, "victim_born", finding.victim_born);
  window(json, finding);
  steps(json, finding);
  victims(json, finding);
  json.end_object();
}

void append_finding_json(std::string& out, const rules::Finding& finding) {
  JsonWriter json(out);
  write_finding(json, finding);
  out += '\n';
}

void append_hit_json(std::string& out, const rules::FinalHit& hit) {
  JsonWriter json(out);
  json.begin_object();
  json.text("type", "hit");
  json.text("rule", rules::rule_info(hit.rule).id);
  json.text("severity", rules::severity_name(hit.severity));
  json.text("judged", hit.at_end ? "end" : "birth");
  json.number("seq", hit.seq);
  json.number("pid", hit.pid);
  json.number("tid", hit.tid);
  json.text("kind", kind_name(hit.kind));
  json.bytes("path", hit.path);
  if (hit.born_path != hit.path) json.bytes("born_path", hit.born_path);
  json.mode("requested", without_type(hit.requested));
  json.mode("mask", hit.mask);
  json.mode("expected_mask", hit.expected_mask);
  json.mode("mode", hit.mode);
  json.mode("expected", hit.expected);
  json.mode("last_mode", hit.last_mode);
  json.text("state", state_name(hit.state));
  json.end_object();
  out += '\n';
}

}  // namespace umaskaudit::render

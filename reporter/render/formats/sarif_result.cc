// One finding as a SARIF result: where, the threads' flows, stacks, and what is known of it.
#include <algorithm>
#include <map>
#include <utility>

#include "reporter/render/formats/annotations.h"
#include "reporter/render/formats/sarif_parts.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/own_place.h"

namespace umaskaudit::render::sarif {
namespace {

// One call in the sequence of a finding, by any of its threads.
struct Moment {
  rules::EventRef event;
  std::string text;
  std::optional<Mode> mask;  // in force after it
};

std::string who(const rules::EventRef& event) {
  return "thread '" + event.thread + "' (" + std::to_string(event.tid) + " of process " +
         std::to_string(event.pid) + ")";
}

std::string hit_text(const rules::Victim& victim) {
  std::string text = victim.event.call + " '" + victim.path + "': requested " +
                     octal(without_type(victim.requested)) + " under mask " + octal(victim.mask) +
                     ", final mode " + octal(victim.mode);
  if (victim.mode != victim.expected) text += " instead of " + octal(victim.expected);
  return text;
}

// Whether something else than the culprit's own call was hit.
bool is_hit(const rules::Finding& finding) {
  return !finding.victims.empty() && finding.victims.front().recorded &&
         !(finding.culprit && finding.victims.front().event.seq == finding.culprit->seq);
}

std::vector<Moment> moments_of(const rules::Finding& finding) {
  std::vector<Moment> moments;
  const auto& window = finding.window;
  const bool is_victim = !finding.victims.empty() && !is_hit(finding);
  if (finding.culprit_born)
    moments.push_back({*finding.culprit_born, "starts the thread that sets the mask", {}});
  if (finding.victim_born)
    moments.push_back({*finding.victim_born, "starts the thread that creates", {}});
  if (finding.steps.empty() && finding.culprit && !is_victim) {
    const bool sets = window && finding.culprit->id != 0;
    moments.push_back({*finding.culprit,
                       finding.culprit->call + (sets ? " sets " + octal(window->mask_inside) +
                                                           ", was " + octal(window->mask_before)
                                                     : ""),
                       sets ? std::optional(window->mask_inside) : std::nullopt});
  }
  for (const rules::SequenceStep& step : finding.steps)
    moments.push_back({step.event, step.event.call + ' ' + step.text, {}});
  for (const rules::Victim& victim : finding.victims)
    if (victim.recorded) moments.push_back({victim.event, hit_text(victim), victim.mask});
  if (finding.steps.empty() && finding.culprit_end)
    moments.push_back({*finding.culprit_end, finding.culprit_end->call + " ends it", {}});
  std::stable_sort(moments.begin(), moments.end(),
                   [](const Moment& a, const Moment& b) { return a.event.seq < b.event.seq; });
  return moments;
}

// The innermost frame that is the program's own; else the object, if it has a path.
void location_members(JsonWriter& json, const Log& log, const Moment& moment) {
  const symbolize::Frame* frame = own_frame(log.context.stacks, moment.event.stack);
  if (frame != nullptr) frame_members(json, log, *frame);
  message(json, "message", moment.text);
}

void thread_flow(JsonWriter& json, const Log& log, const std::vector<Moment>& moments) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<std::size_t>> threads;
  for (std::size_t i = 0; i < moments.size(); ++i)
    threads[{moments[i].event.pid, moments[i].event.tid}].push_back(i);
  json.begin_object();
  json.begin_array("threadFlows");
  for (const auto& [thread, own] : threads) {
    json.begin_object();
    json.text("id", std::to_string(thread.first) + "/" + std::to_string(thread.second));
    message(json, "message", who(moments[own.front()].event));
    json.begin_array("locations");
    for (const std::size_t i : own) {
      const Moment& moment = moments[i];
      json.begin_object();
      json.begin_object("location");
      location_members(json, log, moment);
      json.end_object();
      if (has_stack(log, moment.event)) {
        json.begin_object("stack");
        stack_members(json, log, moment.event, moment.event.call);
        json.end_object();
      }
      if (moment.mask) {
        json.begin_object("state");
        message(json, "umask", octal(*moment.mask));
        json.end_object();
      }
      json.number("executionOrder", i + 1);
      json.text("executionTimeUtc", iso_time(log, moment.event.time_ns));
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

// Where something was created, if that is another place than the cause; then the objects.
void related(JsonWriter& json, const Log& log, const CauseGroup& group) {
  if (std::all_of(group.begin(), group.end(), [](const auto* one) { return one->victims.empty(); }))
    return;
  json.begin_array("relatedLocations");
  std::uint64_t id = 0;
  for (const rules::Finding* finding : group) {
    const symbolize::Frame* frame =
        is_hit(*finding) ? own_frame(log.context.stacks, finding->victims.front().event.stack)
                         : nullptr;
    if (frame == nullptr) continue;
    json.begin_object();
    json.number("id", ++id);
    frame_members(json, log, *frame);
    message(json, "message", "hit: " + hit_text(finding->victims.front()));
    json.end_object();
  }
  for (const rules::Finding* finding : group)
    for (const rules::Victim& victim : finding->victims) {
      if (victim.path.empty()) continue;
      json.begin_object();
      json.number("id", ++id);
      json.begin_object("physicalLocation");
      artifact(json, log, victim.path);
      json.end_object();
      message(json, "message", hit_text(victim));
      json.end_object();
    }
  json.end_array();
}

void stacks(JsonWriter& json, const Log& log, const CauseGroup& group) {
  json.begin_array("stacks");
  const auto add = [&](const rules::EventRef& event, const std::string& role) {
    if (!has_stack(log, event)) return;
    json.begin_object();
    stack_members(json, log, event, role + ": " + event.call + " by thread '" + event.thread + "'");
    json.end_object();
  };
  if (group.front()->culprit) add(*group.front()->culprit, "cause");
  for (const rules::Finding* finding : group)
    if (is_hit(*finding)) add(finding->victims.front().event, "hit");
  json.end_array();
}

// The names by which viewers know a result again, older ones included. The line that GitHub would
// hash is left to it: it has the sources.
void fingerprints(JsonWriter& json, const CauseGroup& group) {
  const rules::Finding& finding = *group.front();
  json.begin_object("partialFingerprints");
  json.text("umaskaudit/cause/v1", finding.cause);
  if (finding.third_prints.size() == 1) json.text("umaskaudit/v3", finding.third_prints.front());
  if (group.size() == 1) {
    json.text("umaskaudit/v4", finding.fingerprint);
    if (finding.source_prints.size() == 1)
      json.text("umaskaudit/v4-source", finding.source_prints.front());
  }
  json.end_object();
}

const char* state_name(rules::BaselineState state) {
  return state == rules::BaselineState::fresh ? "new" : "unchanged";
}

void standing(JsonWriter& json, const CauseGroup& group) {
  const rules::Finding& finding = *group.front();
  const bool same = std::all_of(group.begin(), group.end(), [&](const rules::Finding* one) {
    return one->baseline == finding.baseline;
  });
  if (finding.baseline != rules::BaselineState::none)
    json.text("baselineState", same ? state_name(finding.baseline) : "updated");
  json.begin_array("suppressions");  // empty: it was looked for, and there is none (3.27.23)
  if (!finding.suppressed_by.empty()) {
    json.begin_object();
    json.text("kind", "external");
    json.text("status", "accepted");
    json.text("justification", message_text(finding.suppressed_by));
    json.end_object();
  }
  json.end_array();
}

// What was seen; of several findings, each with the fingerprint by which a baseline knows it.
void properties(JsonWriter& json, const CauseGroup& group) {
  json.begin_object("properties");
  json.text("seen", message_text(group.front()->message));
  if (group.size() > 1) {
    json.begin_array("findings");
    for (const rules::Finding* finding : group) {
      json.begin_object();
      json.text("fingerprint", finding->fingerprint);
      if (finding->baseline != rules::BaselineState::none)
        json.text("baselineState", state_name(finding->baseline));
      json.text("seen", message_text(finding->message));
      json.end_object();
    }
    json.end_array();
  }
  json.end_object();
}

// Code scanning wants one place for each result: the code behind it, or what was hit.
void place(JsonWriter& json, const Log& log, const rules::Finding& finding,
           const std::vector<Moment>& moments) {
  json.begin_array("locations");
  const rules::EventRef* event = finding.culprit ? &*finding.culprit : nullptr;
  if (event == nullptr && !moments.empty()) event = &moments.front().event;
  const symbolize::Frame* frame =
      event == nullptr ? nullptr : own_frame(log.context.stacks, event->stack);
  const bool object = !finding.victims.empty() && !finding.victims.front().path.empty();
  json.begin_object();
  if (frame != nullptr) {
    frame_members(json, log, *frame);
  } else if (object || !log.context.run.processes().empty()) {
    json.begin_object("physicalLocation");
    artifact(json, log,
             object ? finding.victims.front().path
                    : std::string(log.context.run.processes().front().exe));
    json.end_object();
  }
  json.end_object();
  json.end_array();
}

}  // namespace

void absent_result(JsonWriter& json, const rules::KnownFinding& known) {
  const rules::RuleInfo* rule = rules::find_rule(known.rule);
  json.begin_object();
  if (rule != nullptr) {
    json.text("ruleId", rule->id);
    json.number("ruleIndex", static_cast<std::uint64_t>(rule->rule));
  }
  // 3.27.9 and 3.27.10: the rule was evaluated and this was not there. A consumer that knows no
  // baselines must not take it for a finding.
  json.text("kind", "pass");
  json.text("level", "none");
  message(json, "message",
          std::string("Gone, the baseline has it") + (rule != nullptr ? ": " : "") +
              (rule != nullptr ? rule->title : ""));
  json.begin_object("partialFingerprints");
  json.text(known.of_first_version ? "umaskaudit/v3" : "umaskaudit/v4", known.fingerprint);
  json.end_object();
  json.text("baselineState", "absent");
  json.end_object();
}

void result(JsonWriter& json, const Log& log, const CauseGroup& group) {
  const rules::Finding& finding = *group.front();
  const rules::RuleInfo& rule = finding.info();
  const std::vector<Moment> moments = moments_of(finding);
  json.begin_object();
  json.text("ruleId", rule.id);
  json.number("ruleIndex", static_cast<std::uint64_t>(rule.rule));
  json.text("level", rules::severity_name(finding.severity));
  // The same in every run: viewers match alerts by it. The steps of the threads
  // and the property have what was seen.
  ShortFinding brief = short_finding(log.context.stacks, finding, log.run.root);
  if (group.size() > 1) brief.message = brief.title + ", hit several functions";
  message(json, "message", brief.message + ". " + finding.advice);
  place(json, log, finding, moments);
  if (!moments.empty()) {
    json.begin_array("codeFlows");
    for (const rules::Finding* one : group) thread_flow(json, log, moments_of(*one));
    json.end_array();
  }
  stacks(json, log, group);
  related(json, log, group);
  fingerprints(json, group);
  standing(json, group);
  if (rule.cwe != 0) {
    json.begin_array("taxa");
    json.begin_object();
    taxon_members(json, log, rule.cwe);
    json.end_object();
    json.end_array();
  }
  std::uint64_t count = 0;
  for (const rules::Finding* one : group) count += one->count;
  json.number("occurrenceCount", std::max<std::uint64_t>(count, 1));
  properties(json, group);
  json.end_object();
}

}  // namespace umaskaudit::render::sarif

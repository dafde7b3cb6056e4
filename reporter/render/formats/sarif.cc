// The log around the results: tool, rules, taxonomy, invocations.
#include "reporter/render/formats/sarif.h"

#include <algorithm>
#include <set>

#include "reporter/render/formats/sarif_parts.h"
#include "reporter/text/escape.h"

namespace umaskaudit::render {
namespace {

using sarif::Log;
using sarif::message;

// uri(7): a page that is there wherever the tool is installed. No site has it.
constexpr char kManual[] = "man:umaskaudit(1)";
constexpr char kRulesManual[] = "man:umaskaudit-rules(1)";
constexpr char kSchema[] = "https://json.schemastore.org/sarif-2.1.0.json";

const char* security_severity(rules::Severity severity) {
  switch (severity) {
    case rules::Severity::note:
      return "2.0";
    case rules::Severity::warning:
      return "5.0";
    case rules::Severity::error:
      return "7.5";
  }
  return "7.5";
}

std::string cwe_uri(std::uint16_t cwe) {
  return "https://cwe.mitre.org/data/definitions/" + std::to_string(cwe) + ".html";
}

void rule_element(JsonWriter& json, const Log& log, const rules::RuleInfo& rule) {
  const std::string text = std::string(rule.explanation) + "\n\nInstead: " + rule.advice;
  json.begin_object();
  json.text("id", rule.id);
  message(json, "shortDescription", rule.title);
  message(json, "fullDescription", rule.explanation);
  json.text("helpUri", rule.cwe != 0 ? cwe_uri(rule.cwe) : kRulesManual);
  // Ours and plain ASCII; line breaks are wanted here.
  json.begin_object("help");
  json.text("text", text);
  json.text("markdown", "**" + std::string(rule.title) + "**\n\n" + rule.explanation +
                            "\n\n**Instead:** " + rule.advice);
  json.end_object();
  json.begin_object("defaultConfiguration");
  json.text("level", rules::severity_name(rule.severity));
  json.end_object();
  if (rule.cwe != 0) {
    json.begin_array("relationships");
    json.begin_object();
    json.begin_object("target");
    sarif::taxon_members(json, log, rule.cwe);
    json.end_object();
    json.begin_array("kinds");
    json.element(std::string_view("superset"));
    json.end_array();
    json.end_object();
    json.end_array();
  }
  json.begin_object("properties");
  json.begin_array("tags");
  json.element(std::string_view("security"));
  if (rule.cwe != 0) json.element(std::string_view("external/cwe/cwe-" + std::to_string(rule.cwe)));
  json.end_array();
  json.text("security-severity", security_severity(rule.severity));
  json.end_object();
  json.end_object();
}

void taxonomy(JsonWriter& json, const Log& log) {
  json.begin_array("taxonomies");
  json.begin_object();
  json.text("name", "CWE");
  json.text("organization", "MITRE");
  json.text("informationUri", "https://cwe.mitre.org/");
  message(json, "shortDescription", "The MITRE Common Weakness Enumeration");
  json.boolean("isComprehensive", false);
  json.begin_array("taxa");
  for (const std::uint16_t cwe : log.cwes) {
    json.begin_object();
    json.text("id", std::to_string(cwe));
    message(json, "shortDescription", rules::cwe_title(cwe));
    json.text("helpUri", cwe_uri(cwe));
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.end_array();
}

// What the run could not see or keep, and what the reader could not name.
struct Notification {
  std::string id, level, text;
};

// The notifications come before the results, whose stacks are resolved here.
std::vector<std::string> symbol_notes(const Log& log) {
  analysis::StackCache& stacks = log.context.stacks;
  for (const rules::Finding& finding : log.findings) {
    for (const auto& event :
         {finding.culprit, finding.culprit_end, finding.culprit_born, finding.victim_born})
      if (event) stacks.frames(event->stack);
    for (const rules::Victim& victim : finding.victims) stacks.frames(victim.event.stack);
    for (const rules::SequenceStep& step : finding.steps) stacks.frames(step.event.stack);
  }
  return stacks.notes();
}

std::vector<Notification> notifications_of(const Log& log, const analysis::Summary& summary) {
  std::vector<Notification> all;
  for (const analysis::BlindSpots& spot : summary.blind_spots)
    all.push_back({std::string("blind-spot/") + blind_name(spot.reason), "warning",
                   (spot.text.empty() ? "" : spot.text + ": ") + blind_advice(spot.reason) + " (" +
                       std::to_string(spot.count) + "x)"});
  for (const LossEvent& loss : log.context.run.completeness().losses)
    all.push_back(
        {"loss/" + loss.reason, "error", std::to_string(loss.count) + " lost: " + loss.detail});
  for (const std::string& note : symbol_notes(log))
    all.push_back({"symbols", "note", "functions have no name: " + note});
  return all;
}

std::vector<std::string> descriptor_ids(const std::vector<Notification>& all) {
  std::set<std::string> ids;
  for (const Notification& one : all) ids.insert(one.id);
  return {ids.begin(), ids.end()};
}

void driver(JsonWriter& json, const Log& log, const std::vector<std::string>& descriptors) {
  json.begin_object("tool");
  json.begin_object("driver");
  json.text("name", "umaskaudit");
  json.text("semanticVersion", log.run.tool_version);
  json.text("informationUri", kManual);
  message(json, "shortDescription",
          "Which thread changed the umask, and why files came out with their modes");
  json.begin_array("supportedTaxonomies");
  json.begin_object();
  json.text("name", "CWE");
  json.number("index", 0);
  json.end_object();
  json.end_array();
  json.begin_array("rules");
  for (std::size_t rule = 0; rule < rules::kRuleCount; ++rule)
    rule_element(json, log, rules::rule_info(static_cast<rules::RuleId>(rule)));
  json.end_array();
  json.begin_array("notifications");
  for (const std::string& id : descriptors) {
    json.begin_object();
    json.text("id", id);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  json.end_object();
}

void recording(JsonWriter& json, const Log& log, const std::vector<Notification>& notifications,
               const std::vector<std::string>& descriptors) {
  const SarifRun& run = log.run;
  const std::uint64_t begin = started_real_ns(log.context.run, run.heading);
  json.begin_object();
  if (!run.heading.program.empty()) json.text("commandLine", escape(run.heading.program));
  json.boolean("executionSuccessful", log.context.run.completeness().segments != 0);
  if (run.exit_code) json.integer("exitCode", *run.exit_code);
  if (run.signal != 0) json.integer("exitSignalNumber", run.signal);
  if (begin != 0) {
    json.text("startTimeUtc", sarif::iso_time(begin));
    json.text("endTimeUtc",
              sarif::iso_time(begin + (log.context.run.end_ns() - log.context.run.begin_ns())));
  }
  if (!run.root.empty()) {
    json.begin_object("workingDirectory");
    json.text("uri", "file://" + sarif::uri_path(run.root) + "/");
    json.end_object();
  }
  json.begin_array("toolExecutionNotifications");
  for (const Notification& one : notifications) {
    const auto found = std::find(descriptors.begin(), descriptors.end(), one.id);
    json.begin_object();
    json.begin_object("descriptor");
    json.text("id", one.id);
    json.number("index", static_cast<std::uint64_t>(found - descriptors.begin()));
    json.end_object();
    json.text("level", one.level);
    message(json, "message", one.text);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

// The recording is one invocation of the tool, with the program's exit code; `check` another one.
void invocations(JsonWriter& json, const Log& log, const std::vector<Notification>& notifications,
                 const std::vector<std::string>& descriptors) {
  json.begin_array("invocations");
  recording(json, log, notifications, descriptors);
  if (log.run.verdict) {
    json.begin_object();
    json.text("commandLine", "umaskaudit check " + escape(log.context.run.directory()));
    json.boolean("executionSuccessful", *log.run.verdict <= static_cast<int>(ExitCode::findings));
    json.integer("exitCode", *log.run.verdict);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string sarif_log(const TextContext& context, const analysis::Summary& summary,
                      const SarifRun& run, const std::vector<rules::Finding>& findings) {
  std::set<std::uint16_t> cwes;
  for (std::size_t rule = 0; rule < rules::kRuleCount; ++rule)
    if (const std::uint16_t cwe = rules::rule_info(static_cast<rules::RuleId>(rule)).cwe; cwe != 0)
      cwes.insert(cwe);
  const Log log{context, run, findings, {cwes.begin(), cwes.end()}};
  const std::vector<Notification> notifications = notifications_of(log, summary);
  const std::vector<std::string> descriptors = descriptor_ids(notifications);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.text("$schema", kSchema);
  json.text("version", "2.1.0");
  json.begin_array("runs");
  json.begin_object();
  driver(json, log, descriptors);
  // What runs of one program have in common: GitHub replaces the alerts of its category.
  const std::string program = log.run.heading.program.substr(0, log.run.heading.program.find(' '));
  json.begin_object("automationDetails");
  json.text("id", "umaskaudit/" + escape(program.substr(program.rfind('/') + 1)) + '/');
  json.end_object();
  invocations(json, log, notifications, descriptors);
  taxonomy(json, log);
  if (!run.root.empty()) {
    json.begin_object("originalUriBaseIds");
    json.begin_object(sarif::kRoot);
    json.text("uri", "file://" + sarif::uri_path(run.root) + "/");
    json.end_object();
    json.end_object();
  }
  json.begin_array("results");
  for (const CauseGroup& group : by_cause(findings)) sarif::result(json, log, group);
  for (const rules::KnownFinding& known : run.absent) sarif::absent_result(json, known);
  json.end_array();
  json.end_object();
  json.end_array();
  json.end_object();
  return out += '\n';
}

}  // namespace umaskaudit::render

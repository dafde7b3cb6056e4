// `rules`: what the findings are called and mean.
// Must never say what the table of rules does not. Called through the table, and by `explain RULE`.
#include "reporter/commands/rules.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/commands/twin_format.h"
#include "reporter/render/findings_text.h"
#include "reporter/rules/finding.h"
#include "reporter/text/json_writer.h"
#include "reporter/text/text_table.h"
#include "reporter/text/text_width.h"

namespace umaskaudit::commands {
namespace {

std::string weakness(const rules::RuleInfo& rule) {
  return rule.cwe == 0 ? "" : "CWE-" + std::to_string(rule.cwe);
}

std::string rule_json(const rules::RuleInfo& rule) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.text("rule", rule.id);
  json.text("severity", rules::severity_name(rule.severity));
  if (rule.cwe != 0) json.number("cwe", rule.cwe);
  json.text("title", rule.title);
  json.text("explanation", rule.explanation);
  json.text("advice", rule.advice);
  json.end_object();
  return out + '\n';
}

int list(TwinFormat format, Console& console) {
  if (format == TwinFormat::json) {
    for (std::size_t i = 0; i < rules::kRuleCount; ++i)
      console.out << rule_json(rules::rule_info(static_cast<rules::RuleId>(i)));
    return 0;
  }
  TextTable table({{"RULE"}, {"SEVERITY"}, {"CWE"}, {"WHAT IS WRONG"}}, 0);
  for (std::size_t i = 0; i < rules::kRuleCount; ++i) {
    const rules::RuleInfo& rule = rules::rule_info(static_cast<rules::RuleId>(i));
    table.add({rule.id,
               {rules::severity_name(rule.severity), render::severity_style(rule.severity)},
               weakness(rule),
               rule.title});
  }
  console.out << table.text(0, Paint(console.out_colour))
              << "umaskaudit explain RULE says why, and what to do instead.\n";
  return 0;
}

}  // namespace

int explain_rule(const rules::RuleInfo& rule, TwinFormat format, Console& console) {
  if (format == TwinFormat::json) {
    console.out << rule_json(rule);
    return 0;
  }
  const Paint paint(console.out_colour);
  std::string out = paint(Style::strong, rule.id) + ": " + rule.title + '\n';
  out += "Usual severity: " +
         paint(render::severity_style(rule.severity), rules::severity_name(rule.severity));
  if (rule.cwe != 0) out += "; " + weakness(rule) + ", " + rules::cwe_title(rule.cwe);
  out += "\n\nWhy it matters:\n";
  append_wrapped(out, rule.explanation, 2, 2, console.width);
  out += "\nWhat to do instead:\n";
  append_wrapped(out, rule.advice, 2, 2, console.width);
  out += "\nTo accept one place: a line '" + std::string(rule.id) +
         ":GLOB  # reason' in a file for check --suppressions.\n";
  console.out << out;
  return 0;
}

Action configure_rules(CLI::App& app) {
  auto format = std::make_shared<TwinFormat>(TwinFormat::text);
  add_twin_format(app, *format, "What to write; json: a line for each rule, with its explanation");
  return [format](Invocation& invocation) { return list(*format, invocation.console); };
}

}  // namespace umaskaudit::commands

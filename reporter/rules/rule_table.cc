// What rules.def says of each rule, and the words for severities.
// Read through rule_info() by the rules, the renderers and the manual.
#include <array>

#include "reporter/rules/finding.h"

namespace umaskaudit::rules {
namespace {

constexpr std::array<RuleInfo, kRuleCount> kRules = {{
#define RULE(identifier, id, severity, cwe, check, severities, when, title, explanation, advice) \
  {RuleId::identifier, id, Severity::severity, cwe, title, explanation, advice},
#include "reporter/rules/rules.def"
}};

constexpr const char* title_of(std::uint16_t cwe) {
  switch (cwe) {
#define CWE(number, title) \
  case number:             \
    return title;
#include "reporter/rules/rules.def"
    default:
      return "";
  }
}

enum class CheckName : std::uint8_t {
#define CHECK(name) name,
#include "reporter/rules/rules.def"
  none,
};
// A row names a check that runs, and a weakness that has a title.
#define RULE(identifier, id, severity, cwe, check, ...) \
  static_assert(CheckName::check != CheckName::none);   \
  static_assert(cwe == 0 || *title_of(cwe) != '\0');
#include "reporter/rules/rules.def"

}  // namespace

const char* cwe_title(std::uint16_t cwe) { return title_of(cwe); }

const RuleInfo& rule_info(RuleId rule) { return kRules[static_cast<std::size_t>(rule)]; }

const RuleInfo* find_rule(std::string_view id) {
  for (const RuleInfo& rule : kRules)
    if (id == rule.id) return &rule;
  return nullptr;
}

const char* severity_name(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "error";
}

std::optional<Severity> parse_severity(std::string_view name) {
  for (const Severity severity : {Severity::note, Severity::warning, Severity::error})
    if (name == severity_name(severity)) return severity;
  return std::nullopt;
}

}  // namespace umaskaudit::rules

// The suites of junit.h, in the form that Jenkins, GitLab and GitHub's actions read.
#include "reporter/render/formats/junit.h"

#include "reporter/render/findings_text.h"
#include "reporter/render/formats/annotations.h"
#include "reporter/text/escape.h"

namespace umaskaudit::render {
namespace {

// `value` is escaped as on a terminal.
std::string attribute(const char* name, const std::string& value) {
  return std::string(" ") + name + "=\"" + xml_text(value) + '"';
}
std::string attribute(const char* name, std::uint64_t value) {
  return attribute(name, std::to_string(value));
}

bool fails(const rules::Finding& finding, const JUnitVerdict& verdict) {
  return finding.severity >= verdict.fail_on;
}

// A few lines: test pages show them as they are. `umaskaudit check` has the stacks.
std::string body_of(const ShortFinding& brief, const rules::Finding& finding,
                    const JUnitVerdict& verdict) {
  return escape(finding.message) + '\n' + place_lines(brief, verdict.root) +
         "instead: " + finding.advice + '\n';
}

// The name holds no count and no thread: pipelines follow a case by its name.
void append_case(std::string& out, const TextContext& context, const rules::Finding& finding,
                 const JUnitVerdict& verdict) {
  const std::string rule = finding.info().id;
  const ShortFinding brief = short_finding(context.stacks, finding, verdict.root);
  out += "    <testcase" + attribute("classname", "umaskaudit." + rule) +
         attribute("name", std::string(finding.info().title) + " (" + finding.fingerprint + ")") +
         ">\n";
  if (finding.is_known()) {
    const std::string why = finding.suppressed_by.empty()
                                ? "known from the baseline"
                                : "suppressed: " + escape(finding.suppressed_by);
    out += "      <skipped" + attribute("message", why) + "/>\n";
  } else if (fails(finding, verdict)) {
    out += "      <failure" + attribute("type", rules::severity_name(finding.severity)) +
           attribute("message", brief.message) + ">" + xml_text(body_of(brief, finding, verdict)) +
           "</failure>\n";
  } else {
    out += "      <system-out>" + xml_text(body_of(brief, finding, verdict)) + "</system-out>\n";
  }
  out += "    </testcase>\n";
}

struct Count {
  std::uint64_t tests = 0, failures = 0, skipped = 0;
  void add(const rules::Finding& finding, const JUnitVerdict& verdict) {
    ++tests;
    if (finding.is_known())
      ++skipped;
    else if (fails(finding, verdict))
      ++failures;
  }
  std::string attributes(std::uint64_t errors) const {
    return attribute("tests", tests) + attribute("failures", failures) +
           attribute("errors", errors) + attribute("skipped", skipped);
  }
};

void append_rule(std::string& out, const TextContext& context, const rules::RuleInfo& rule,
                 const JUnitVerdict& verdict, const std::vector<rules::Finding>& findings,
                 Count& all) {
  Count own;
  std::string cases;
  for (const rules::Finding& finding : findings) {
    if (finding.rule != rule.rule) continue;
    own.add(finding, verdict);
    append_case(cases, context, finding, verdict);
  }
  if (own.tests == 0) {
    own.tests = 1;
    cases = "    <testcase" + attribute("classname", std::string("umaskaudit.") + rule.id) +
            attribute("name", rule.title) + "/>\n";
  }
  out += "  <testsuite" + attribute("name", rule.id) + own.attributes(0) + ">\n" + cases +
         "  </testsuite>\n";
  all.tests += own.tests;
  all.failures += own.failures;
  all.skipped += own.skipped;
}

// The record itself: an error where it cannot be judged, and always what it could not see.
void append_record(std::string& out, const TextContext& context, const analysis::Summary& summary,
                   const JUnitVerdict& verdict) {
  const TextContext plain{context.run, context.stacks, Paint(false), 0};
  std::string unseen;
  append_unseen(unseen, plain, summary);
  Count own;
  own.tests = 1;
  out += "  <testsuite" + attribute("name", "record") +
         own.attributes(verdict.error.empty() ? 0 : 1) + ">\n    <testcase" +
         attribute("classname", "umaskaudit.record") + attribute("name", "The record is complete") +
         ">\n";
  if (!verdict.error.empty())
    out += "      <error" + attribute("type", "incomplete") + attribute("message", verdict.error) +
           "/>\n";
  out +=
      "      <system-out>" + xml_text(unseen) + "</system-out>\n    </testcase>\n  </testsuite>\n";
}

}  // namespace

std::string xml_text(std::string_view escaped) {
  std::string out;
  for (const char c : escaped) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string junit_report(const TextContext& context, const analysis::Summary& summary,
                         const Heading& heading, const JUnitVerdict& verdict,
                         const std::vector<rules::Finding>& findings) {
  Count all;
  std::string suites;
  for (std::size_t rule = 0; rule < rules::kRuleCount; ++rule)
    append_rule(suites, context, rules::rule_info(static_cast<rules::RuleId>(rule)), verdict,
                findings, all);
  append_record(suites, context, summary, verdict);
  ++all.tests;
  const std::string program = heading.program.empty() ? context.run.directory() : heading.program;
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" +
         attribute("name", "umaskaudit " + escape(program)) +
         all.attributes(verdict.error.empty() ? 0 : 1) + ">\n" + suites + "</testsuites>\n";
}

}  // namespace umaskaudit::render

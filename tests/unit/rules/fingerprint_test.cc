// Fingerprints name the code, not the run.
#include <gtest/gtest.h>

#include "tests/unit/rules/fixture.h"

namespace umaskaudit::testing {
namespace {

std::string fingerprint_of(const std::string& text, rules::RuleId rule) {
  const Fixture fixture = Fixture::parse(text);
  EXPECT_EQ(fixture.error(), "");
  for (const rules::Finding& finding : fixture.find().findings)
    if (finding.rule == rule) return finding.fingerprint;
  return "none";
}

std::string run(const std::string& pid, const std::string& path, const std::string& time,
                const std::string& opener = "probe", const std::string& creator = "write") {
  const std::string who = "pid=" + pid + " ";
  return who + "process exec app 0022\n" + who + "starts 9\n" + "t=" + time + " " + who +
         "tid=9 umask 0022->0000 at " + opener + "\n" + who + "create file " + path + " 0666 at " +
         creator + "\n" + who + "tid=9 umask 0000->0022 at end\n";
}

TEST(Fingerprint, IgnoresPidsPathsTimesAndCounts) {
  const std::string first =
      fingerprint_of(run("1", "/tmp/a.1234/x", "100"), rules::RuleId::window_overlap);
  EXPECT_EQ(first.size(), 16U);
  EXPECT_EQ(first, fingerprint_of(run("77", "/var/b/y", "99999"), rules::RuleId::window_overlap));
}

TEST(Fingerprint, TellsCodeAndRulesApart) {
  const std::string first = fingerprint_of(run("1", "/x", "100"), rules::RuleId::window_overlap);
  EXPECT_NE(first,
            fingerprint_of(run("1", "/x", "100", "other_probe"), rules::RuleId::window_overlap));
  EXPECT_NE(first,
            fingerprint_of(run("1", "/x", "100", "probe", "save"), rules::RuleId::window_overlap));
  EXPECT_NE(first, fingerprint_of(run("1", "/x", "100"), rules::RuleId::getter_idiom));
}

TEST(Fingerprint, NamesTheProgram) {
  const std::string text =
      "process exec /usr/bin/python3 0022\ncreate file /a 0666 final 0666 at write\n";
  std::string other = text;
  other.replace(other.find("python3"), 7, "ruby");
  EXPECT_EQ(fingerprint_of(text, rules::RuleId::world_writable),
            fingerprint_of("process exec /opt/bin/python3 0022\nstarts 2\n"
                           "tid=2 thread=worker-7 create file /b 0666 final 0666 at write\n",
                           rules::RuleId::world_writable));
  EXPECT_NE(fingerprint_of(text, rules::RuleId::world_writable),
            fingerprint_of(other, rules::RuleId::world_writable));
}

TEST(Fingerprint, TellsTheEndFromTheBirth) {
  const std::string made = "process exec app 0022\ncreate file /a 0666 final 0666 at code\n";
  const std::string widened =
      "process exec app 0022\ncreate file /a 0600 ino 5 at make\nchmod /a 0666 ino 5 at code\n";
  EXPECT_NE(fingerprint_of(made, rules::RuleId::world_writable),
            fingerprint_of(widened, rules::RuleId::world_writable));
}

TEST(Findings, WorstFirst) {
  const Fixture fixture = Fixture::parse(
      "process exec app 0022\n"
      "umask 0022->0644 at style\n"
      "create file /k/id_rsa 0600 at write_good\n"
      "umask 0644->0022 at style_end\n"
      "create file /k/id_rsa 0666 at write_key\n"
      "umask 0022->0000 at probe\n"
      "umask 0000->0022 at probe_end\n"
      "starts 2\n");
  ASSERT_EQ(fixture.error(), "");
  const rules::FindResult result = fixture.find();
  ASSERT_EQ(result.findings.size(), 3U);
  EXPECT_EQ(result.findings[0].rule, rules::RuleId::secret_readable);
  EXPECT_EQ(result.findings[1].rule, rules::RuleId::chmod_style_argument);
  EXPECT_EQ(result.findings[2].rule, rules::RuleId::getter_idiom);
}

TEST(RuleTable, IsCompleteAndPlain) {
  for (std::size_t i = 0; i < rules::kRuleCount; ++i) {
    const rules::RuleInfo& rule = rules::rule_info(static_cast<rules::RuleId>(i));
    EXPECT_EQ(rules::find_rule(rule.id), &rule);
    for (const char* text : {rule.title, rule.explanation, rule.advice}) {
      EXPECT_GT(std::string(text).size(), 10U) << rule.id;
      for (const char* c = text; *c != '\0'; ++c) EXPECT_TRUE(*c >= ' ' && *c < 127) << rule.id;
    }
  }
  EXPECT_EQ(rules::find_rule("no-such-rule"), nullptr);
  EXPECT_EQ(rules::parse_severity("warning"), rules::Severity::warning);
  EXPECT_EQ(rules::parse_severity("fatal"), std::nullopt);
}

}  // namespace
}  // namespace umaskaudit::testing

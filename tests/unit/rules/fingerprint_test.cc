// Fingerprints name the code, not the run.
#include <gtest/gtest.h>

#include "tests/unit/rules/fixture.h"

namespace umaskaudit::testing {
namespace {

std::string fingerprint_of(const std::string& text, RuleId rule) {
  const Fixture fixture = Fixture::parse(text);
  EXPECT_EQ(fixture.error(), "");
  for (const Finding& finding : fixture.find().findings)
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
      fingerprint_of(run("1", "/tmp/a.1234/x", "100"), RuleId::window_overlap);
  EXPECT_EQ(first.size(), 16U);
  EXPECT_EQ(first, fingerprint_of(run("77", "/var/b/y", "99999"), RuleId::window_overlap));
}

TEST(Fingerprint, TellsCodeAndRulesApart) {
  const std::string first = fingerprint_of(run("1", "/x", "100"), RuleId::window_overlap);
  EXPECT_NE(first, fingerprint_of(run("1", "/x", "100", "other_probe"), RuleId::window_overlap));
  EXPECT_NE(first, fingerprint_of(run("1", "/x", "100", "probe", "save"), RuleId::window_overlap));
  EXPECT_NE(first, fingerprint_of(run("1", "/x", "100"), RuleId::getter_idiom));
}

TEST(Fingerprint, NamesTheProgram) {
  const std::string text =
      "process exec /usr/bin/python3 0022\ncreate file /a 0666 final 0666 at write\n";
  std::string other = text;
  other.replace(other.find("python3"), 7, "ruby");
  EXPECT_EQ(fingerprint_of(text, RuleId::world_writable),
            fingerprint_of("process exec /opt/bin/python3 0022\nstarts 2\n"
                           "tid=2 thread=worker-7 create file /b 0666 final 0666 at write\n",
                           RuleId::world_writable));
  EXPECT_NE(fingerprint_of(text, RuleId::world_writable),
            fingerprint_of(other, RuleId::world_writable));
}

TEST(Fingerprint, TellsTheEndFromTheBirth) {
  const std::string made = "process exec app 0022\ncreate file /a 0666 final 0666 at code\n";
  const std::string widened =
      "process exec app 0022\ncreate file /a 0600 ino 5 at make\nchmod /a 0666 ino 5 at code\n";
  EXPECT_NE(fingerprint_of(made, RuleId::world_writable),
            fingerprint_of(widened, RuleId::world_writable));
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
  const FindResult result = fixture.find();
  ASSERT_EQ(result.findings.size(), 3U);
  EXPECT_EQ(result.findings[0].rule, RuleId::secret_readable);
  EXPECT_EQ(result.findings[1].rule, RuleId::chmod_style_argument);
  EXPECT_EQ(result.findings[2].rule, RuleId::getter_idiom);
}

TEST(RuleTable, IsCompleteAndPlain) {
  for (std::size_t i = 0; i < kRuleCount; ++i) {
    const RuleInfo& rule = rule_info(static_cast<RuleId>(i));
    EXPECT_EQ(find_rule(rule.id), &rule);
    for (const char* text : {rule.title, rule.explanation, rule.advice}) {
      EXPECT_GT(std::string(text).size(), 10U) << rule.id;
      for (const char* c = text; *c != '\0'; ++c) EXPECT_TRUE(*c >= ' ' && *c < 127) << rule.id;
    }
  }
  EXPECT_EQ(find_rule("no-such-rule"), nullptr);
  EXPECT_EQ(parse_severity("warning"), Severity::warning);
  EXPECT_EQ(parse_severity("fatal"), std::nullopt);
}

}  // namespace
}  // namespace umaskaudit::testing

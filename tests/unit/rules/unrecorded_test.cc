// Objects that no record names: judged by the mode that they have at the end, with no culprit.
#include <gmock/gmock.h>

#include "reporter/rules/policy.h"
#include "tests/unit/rules/fixture.h"

namespace umaskaudit::testing {
namespace {

using ::testing::IsEmpty;

UnrecordedObject found(const std::string& path, Mode mode, trace::Kind kind = trace::Kind::file) {
  UnrecordedObject object;
  object.path = path;
  object.kind = kind;
  object.mode = mode;
  object.time_ns = 30;
  return object;
}

rules::FindResult judge(std::vector<UnrecordedObject> objects, rules::FindOptions options = {},
                        const std::string& run = "process exec app 0022\ncreate file /d/a 0666\n") {
  options.unrecorded = std::move(objects);
  return Fixture::parse(run).find(std::move(options));
}

TEST(Unrecorded, WhatIsOpenToOthersIsAFindingWithoutCulprit) {
  const rules::FindResult result = judge({found("/d/b", 0666), found("/d/c", 0622)});
  ASSERT_EQ(result.findings.size(), 1U);
  const rules::Finding& finding = result.findings.front();
  EXPECT_EQ(finding.rule, rules::RuleId::world_writable);
  EXPECT_EQ(finding.count, 2U);
  EXPECT_TRUE(finding.at_end);
  EXPECT_FALSE(finding.culprit);
  ASSERT_EQ(finding.victims.size(), 2U);
  EXPECT_FALSE(finding.victims.front().recorded);
  EXPECT_EQ(finding.victims.front().path, "/d/b");
  EXPECT_THAT(finding.message, ::testing::HasSubstr("no record says what made them"));
}

TEST(Unrecorded, NothingIsSaidOfWhatIsNarrow) {
  EXPECT_THAT(judge({found("/d/b", 0644), found("/d/s", 0755, trace::Kind::dir)}).findings,
              IsEmpty());
}

TEST(Unrecorded, ASecretIsKnownByAnyOfItsNames) {
  UnrecordedObject object = found("/d/other", 0644);
  object.more_names = {"/d/s.key"};
  const rules::FindResult result = judge({object});
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings.front().rule, rules::RuleId::secret_readable);
}

TEST(Unrecorded, ADirectoryThatKeepsOthersOutCounts) {
  const rules::FindResult result =
      judge({found("/d/p", 0700, trace::Kind::dir), found("/d/p/x", 0666)});
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings.front().severity, rules::Severity::note);
}

TEST(Unrecorded, AnObjectIsToldToWhoeverWantsFinalHitsAlone) {
  std::vector<rules::FinalHit> hits;
  rules::FindOptions options;
  options.on_final_hit = [&](const rules::FinalHit& hit) { hits.push_back(hit); };
  options.on_hit = [](const rules::Hit& hit) {
    ADD_FAILURE() << "no event has it: " << hit.event.path;
  };
  judge({found("/d/b", 0666)}, std::move(options));
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].path, "/d/b");
  EXPECT_EQ(hits[0].seq, 0U);
  EXPECT_TRUE(hits[0].at_end);
}

TEST(Unrecorded, ThePolicySpeaksOfItToo) {
  rules::Policy policy;
  rules::PathRule rule;
  rule.glob = "/d/*";
  rule.widest = 0600;
  rule.line = 3;
  policy.paths.push_back(rule);
  rules::FindOptions options;
  options.policy = &policy;
  const rules::FindResult result =
      judge({found("/d/b", 0644)}, std::move(options), "process exec app 0077\n");
  ASSERT_EQ(result.findings.size(), 1U);
  EXPECT_EQ(result.findings.front().rule, rules::RuleId::policy_mode);
  EXPECT_THAT(result.findings.front().message,
              ::testing::HasSubstr("no record says what made it (policy line 3)"));
}

}  // namespace
}  // namespace umaskaudit::testing

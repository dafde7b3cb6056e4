// What the kernel cannot show: how derive() words a result, chooses among masks and names what it
// cannot explain. The bits themselves are judged in oracle_test.cc.
#include "reporter/mode/calculus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace umaskaudit {
namespace {

using ::testing::ElementsAre;
using trace::Created;
using trace::Kind;

constexpr std::uint32_t kExt4 = 0xef53;
constexpr std::uint32_t kVfat = 0x4d44;

std::vector<Rule> rules(const Derivation& derivation) {
  std::vector<Rule> result;
  for (const Step& step : derivation.steps) result.push_back(step.rule);
  return result;
}

CreationFacts file_facts(Mode requested, std::vector<Mode> masks, std::optional<Mode> final_mode) {
  CreationFacts facts;
  facts.kind = Kind::file;
  facts.call = "open";
  facts.requested = requested;
  facts.masks = std::move(masks);
  facts.final_mode = final_mode;
  return facts;
}

ParentFacts parent_of(Mode mode, std::optional<DefaultAcl> acl, std::uint32_t fs_type = kExt4) {
  return {mode, 0, acl, fs_type};
}

TEST(Derive, NamesRequestAndMask) {
  const Derivation result = derive(file_facts(0666, {0022}, 0644));
  EXPECT_THAT(rules(result), ElementsAre(Rule::requested, Rule::umask));
  EXPECT_EQ(result.steps[0].sets, 0666U);
  EXPECT_EQ(result.steps[1].clears, 0022U);
  EXPECT_EQ(result.steps[1].mode, 0644U);
  EXPECT_EQ(result.mask, 0022U);
  EXPECT_FALSE(result.ambiguous);
}

TEST(Derive, MaskStepStaysWhenItClearsNothing) {
  EXPECT_THAT(rules(derive(file_facts(0600, {0077}, 0600))),
              ElementsAre(Rule::requested, Rule::umask));
}

TEST(Derive, TakesTheFirstMaskThatExplains) {
  const Derivation result = derive(file_facts(0666, {0022, 0077, 0066, 0000}, 0600));
  EXPECT_EQ(result.mask, 0077U);
  EXPECT_TRUE(result.ambiguous);
  EXPECT_EQ(result.steps.back().rule, Rule::umask);
}

TEST(Derive, EqualMasksAreNotAmbiguous) {
  EXPECT_FALSE(derive(file_facts(0666, {0022, 0022}, 0644)).ambiguous);
}

TEST(Derive, KeepsTheFirstMaskWhenNoneExplains) {
  const Derivation result = derive(file_facts(0666, {0022, 0002}, 0611));
  EXPECT_EQ(result.mask, 0022U);
  EXPECT_THAT(rules(result), ElementsAre(Rule::requested, Rule::umask, Rule::unexplained));
  EXPECT_EQ(result.steps.back().sets, 0011U);
  EXPECT_EQ(result.steps.back().clears, 0044U);
  EXPECT_EQ(result.steps.back().mode, 0611U);
}

TEST(Derive, NamesTheFilesystemThatDecides) {
  CreationFacts facts = file_facts(0600, {0022}, 0755);
  facts.parent = parent_of(0755, {}, kVfat);
  EXPECT_EQ(derive(facts).steps.back().rule, Rule::filesystem);
  facts.parent->fs_type = kExt4;
  EXPECT_EQ(derive(facts).steps.back().rule, Rule::unexplained);
}

TEST(Derive, DefaultAclIsNamedEvenWhereTheMaskWouldDoTheSame) {
  CreationFacts facts = file_facts(0666, {0022}, 0644);
  facts.parent = parent_of(0755, DefaultAcl{7, 5, 5, {}});
  EXPECT_THAT(rules(derive(facts)), ElementsAre(Rule::requested, Rule::default_acl));
}

TEST(Derive, SocketMeetsMaskAndDefaultAcl) {
  CreationFacts facts = file_facts(0777, {0022}, 0700);
  facts.kind = Kind::socket;
  facts.parent = parent_of(0755, DefaultAcl{7, 0, 0, {}});
  EXPECT_THAT(rules(derive(facts)), ElementsAre(Rule::requested, Rule::umask, Rule::default_acl));
}

TEST(Derive, MessageQueueHasNoParent) {
  CreationFacts facts = file_facts(0666, {0027}, 0640);
  facts.kind = Kind::mqueue;
  facts.parent = parent_of(02755, DefaultAcl{7, 7, 7, {}});
  EXPECT_THAT(rules(derive(facts)), ElementsAre(Rule::requested, Rule::umask));
}

TEST(Derive, DirectoryLosesSetIdsAndInheritsSetgid) {
  CreationFacts facts = file_facts(07777, {0022}, 03755);
  facts.kind = Kind::dir;
  facts.parent = parent_of(02755, {});
  const Derivation result = derive(facts);
  EXPECT_THAT(rules(result),
              ElementsAre(Rule::requested, Rule::ignored_bits, Rule::umask, Rule::setgid_parent));
  EXPECT_EQ(result.steps[1].clears, 06000U);
  EXPECT_EQ(result.steps[3].sets, 02000U);
}

TEST(Derive, SetgidOfADirectoryIsExplainedWithoutItsParent) {
  CreationFacts facts = file_facts(0777, {0022}, 02755);
  facts.kind = Kind::dir;
  EXPECT_EQ(derive(facts).steps.back().rule, Rule::setgid_parent);
  facts.parent = parent_of(0755, {});
  EXPECT_EQ(derive(facts).steps.back().rule, Rule::unexplained);
}

TEST(Derive, GroupOfTheParentByMountOptionInheritsNoSetgid) {
  CreationFacts facts = file_facts(0777, {0022}, 0755);
  facts.kind = Kind::dir;
  facts.parent = parent_of(02755, {});
  EXPECT_THAT(rules(derive(facts)), ElementsAre(Rule::requested, Rule::umask));
}

TEST(Derive, ForeignGroupLosesSetgidOfAFile) {
  CreationFacts facts = file_facts(02775, {0002}, 0775);
  facts.parent = parent_of(02755, {});
  const Derivation result = derive(facts);
  EXPECT_EQ(result.steps.back().rule, Rule::setgid_parent);
  EXPECT_EQ(result.steps.back().clears, 02000U);
  facts.requested = 02765;  // without group execution the kernel leaves the bit
  EXPECT_EQ(derive(facts).steps.back().rule, Rule::unexplained);
}

TEST(Derive, WriteOfAnOrdinaryUserTakesSetIdsFromASemaphore) {
  CreationFacts facts = file_facts(06755, {0022}, 0755);
  facts.kind = Kind::sem;
  EXPECT_THAT(rules(derive(facts)), ElementsAre(Rule::requested, Rule::ignored_bits, Rule::umask));
}

TEST(Derive, ExistingObjectIsOneStep) {
  CreationFacts facts = file_facts(0666, {0022}, 04711);
  facts.created = Created::no;
  const Derivation result = derive(facts);
  EXPECT_THAT(rules(result), ElementsAre(Rule::existing));
  EXPECT_EQ(result.steps[0].mode, 04711U);
  EXPECT_EQ(result.mask, 0022U);
  EXPECT_EQ(predict(facts, 0077).steps.back().mode, 04711U);
}

TEST(Derive, UnsureCreationPrefersTheExplanationThatFits) {
  CreationFacts facts = file_facts(0666, {0022}, 0644);
  facts.created = Created::unknown;
  EXPECT_EQ(derive(facts).steps.back().rule, Rule::umask);
  facts.final_mode = 0600;
  EXPECT_EQ(derive(facts).steps.back().rule, Rule::existing);
}

TEST(Derive, PredictsWhereTheFinalModeIsUnknown) {
  const Derivation result = derive(file_facts(0666, {0027, 0000}, {}));
  EXPECT_EQ(result.steps.back().mode, 0640U);
  EXPECT_EQ(result.mask, 0027U);
  EXPECT_TRUE(result.ambiguous);
}

TEST(Derive, WithoutAnyMaskNamesWhatItKnows) {
  const Derivation unknown = derive(file_facts(0666, {}, {}));
  EXPECT_THAT(rules(unknown), ElementsAre(Rule::requested));
  EXPECT_FALSE(unknown.mask.has_value());
  EXPECT_EQ(derive(file_facts(0666, {}, 0644)).steps.back().rule, Rule::unexplained);
}

TEST(Derive, TypeBitsAndStrayBitsOfTheRequestAreNoPermissions) {
  EXPECT_EQ(derive(file_facts(0100666, {07022}, 0100644)).steps.back().mode, 0644U);
}

TEST(Predict, RecordedFateOfSetgidHoldsUnderAnotherMask) {
  CreationFacts facts = file_facts(02775, {0022}, 0755);
  facts.parent = parent_of(02755, {});
  EXPECT_EQ(predict(facts, 0077).steps.back().mode, 0700U);
}

// Whatever the facts: steps build on each other and end at the final mode.
TEST(Derive, StepsAlwaysAddUp) {
  std::mt19937 random(20240601);
  const auto bits = [&](Mode mask) { return static_cast<Mode>(random()) & mask; };
  for (int round = 0; round < 200000; ++round) {
    CreationFacts facts = file_facts(bits(0177777), {}, {});
    facts.kind = static_cast<Kind>(bits(0xffff) % 11);
    facts.created = static_cast<Created>(bits(3));
    for (Mode count = bits(3); count > 0; --count) facts.masks.push_back(bits(07777));
    if (bits(1) != 0) facts.final_mode = bits(07777);
    if (bits(1) != 0) facts.parent = parent_of(bits(07777), {}, bits(1) != 0 ? kVfat : kExt4);
    if (facts.parent && bits(1) != 0) {
      const auto three = [&] { return static_cast<std::uint8_t>(bits(7)); };
      facts.parent->acl = DefaultAcl{three(), three(), three(), {}};
      if (bits(1) != 0) facts.parent->acl->mask = three();
    }
    const Derivation result = derive(facts);
    ASSERT_FALSE(result.steps.empty());
    Mode mode = 0;
    for (const Step& step : result.steps) {
      ASSERT_EQ(step.sets & step.clears, 0U);
      ASSERT_EQ((mode & step.sets), 0U) << "a step must not set what was set";
      ASSERT_EQ((~mode & step.clears), 0U) << "a step must not clear what was clear";
      mode = (mode | step.sets) & ~step.clears;
      ASSERT_EQ(mode, step.mode);
    }
    ASSERT_EQ(mode, facts.final_mode.value_or(mode));
  }
}

TEST(RuleName, MatchesTheSchema) {
  EXPECT_STREQ(rule_name(Rule::ignored_bits), "ignored-bits");
  EXPECT_STREQ(rule_name(Rule::default_acl), "default-acl");
  EXPECT_STREQ(rule_name(Rule::setgid_parent), "setgid-parent");
}

TEST(Filesystem, NamesAndNumbers) {
  EXPECT_EQ(filesystem_name(kExt4), "ext4");
  EXPECT_EQ(filesystem_name(kVfat), "vfat");
  EXPECT_EQ(filesystem_name(0xabad1dea), "0xabad1dea");
  EXPECT_TRUE(filesystem_decides(0x65735546));
  EXPECT_FALSE(filesystem_decides(0x01021994));
  EXPECT_FALSE(filesystem_decides(0));
  EXPECT_TRUE(filesystem_decides(0xabad1dea)) << "nothing is known of it";
}

TEST(Filesystem, IsNamedInTheStepThatItDecided) {
  CreationFacts facts;
  facts.kind = Kind::file;
  facts.requested = 0666;
  facts.masks = {0022};
  facts.final_mode = 0755;
  facts.parent = ParentFacts{};
  facts.parent->fs_type = kVfat;
  const Step last = derive(facts).steps.back();
  EXPECT_EQ(last.rule, Rule::filesystem);
  EXPECT_EQ(step_name(last), "filesystem vfat");
  EXPECT_EQ(step_name(derive(facts).steps.front()), "requested");
  facts.parent->fs_type = kExt4;
  EXPECT_EQ(step_name(derive(facts).steps.back()), "unexplained");
}

}  // namespace
}  // namespace umaskaudit

// One finding for one pair of call sites, however often; the objects one by one for who asks.
#include <gmock/gmock.h>

#include "reporter/rules/timeline.h"
#include "tests/unit/rules/fixture.h"

namespace umaskaudit::testing {
namespace {

constexpr char kThreads[] = "process exec app 0022\nstarts 2\nstarts 3\n";

// `rounds` windows of 10 + 10 ns, each with one creation in the middle, from one of two stacks.
std::string storm(int rounds, bool one_stack = true) {
  std::string text = kThreads;
  for (int i = 0; i < rounds; ++i) {
    const std::string stack = one_stack || i % 2 == 0 ? "write" : "save";
    text += "tid=2 umask 0022->0000 at probe\n";
    text += "tid=3 create file /d/" + std::to_string(i) + " 0666 at " + stack + "\n";
    text += "tid=2 umask 0000->0022 at probe_end\n";
  }
  return text;
}

const rules::Finding* find_rule_in(const rules::FindResult& result, rules::RuleId rule) {
  for (const rules::Finding& finding : result.findings)
    if (finding.rule == rule) return &finding;
  return nullptr;
}

TEST(Counting, TwentyThousandHitsAreOneFinding) {
  const Fixture fixture = Fixture::parse(storm(20000));
  ASSERT_EQ(fixture.error(), "");
  std::vector<std::string> hits;
  const rules::FindResult result = fixture.find({}, &hits);
  ASSERT_EQ(result.findings.size(), 2U);
  const rules::Finding& overlap = result.findings[0];
  EXPECT_EQ(overlap.rule, rules::RuleId::window_overlap);
  EXPECT_EQ(overlap.count, 20000U);
  EXPECT_EQ(overlap.victims.size(), rules::FindOptions().max_examples);
  EXPECT_EQ(overlap.window->count, 20000U);
  EXPECT_EQ(overlap.window->shortest_ns, 20U);
  EXPECT_EQ(overlap.window->longest_ns, 20U);
  ASSERT_EQ(hits.size(), 20000U);
  EXPECT_EQ(hits.front(), "window-overlap /d/0 0666 0644");
  EXPECT_EQ(hits.back(), "window-overlap /d/19999 0666 0644");
}

TEST(Counting, FunctionsThatWereHitAreFindingsOfTheirOwn) {
  const Fixture fixture = Fixture::parse(storm(10, false));
  const rules::FindResult result = fixture.find();
  EXPECT_THAT(
      fixture.describe(result.findings),
      ::testing::UnorderedElementsAre("window-overlap error count=5 culprit=probe victim=write",
                                      "window-overlap error count=5 culprit=probe victim=save",
                                      "getter-idiom warning count=10 culprit=probe"));
  // To the third version they were one.
  std::vector<std::string> third;
  for (const rules::Finding& finding : result.findings)
    if (finding.rule == rules::RuleId::window_overlap) third.push_back(finding.third_prints.at(0));
  ASSERT_EQ(third.size(), 2U);
  EXPECT_EQ(third[0], third[1]);
}

TEST(Counting, OtherMasksAndOtherFunctionsAreOtherFindings) {
  std::string text = kThreads;
  for (const char* mask : {"0000", "0002"})
    for (const char* site : {"probe", "ask"}) {
      text += std::string("tid=2 umask 0022->") + mask + " at " + site + "\n";
      text += "tid=3 create file /d/x 0666 at write\n";
      text += std::string("tid=2 umask ") + mask + "->0022 at probe_end\n";
    }
  const Fixture fixture = Fixture::parse(text);
  ASSERT_EQ(fixture.error(), "");
  EXPECT_THAT(
      fixture.describe(fixture.find().findings),
      ::testing::UnorderedElementsAre("window-overlap error count=1 culprit=probe victim=write",
                                      "window-overlap error count=1 culprit=ask victim=write",
                                      "window-overlap error count=1 culprit=probe victim=write",
                                      "window-overlap error count=1 culprit=ask victim=write",
                                      "getter-idiom warning count=1 culprit=probe",
                                      "getter-idiom warning count=1 culprit=ask",
                                      "getter-idiom warning count=1 culprit=probe",
                                      "getter-idiom warning count=1 culprit=ask"));
}

TEST(Counting, ThreadsOfOneCauseAreCounted) {
  const Fixture fixture = Fixture::parse(std::string(kThreads) +
                                         "tid=2 umask 0022->0000 at probe\n"
                                         "tid=1 create file /d/a 0666 at write\n"
                                         "tid=2 umask 0000->0022 at probe_end\n"
                                         "tid=3 umask 0022->0000 at probe\n"
                                         "tid=1 create file /d/b 0666 at write\n"
                                         "tid=3 umask 0000->0022 at probe_end\n");
  ASSERT_EQ(fixture.error(), "");
  const rules::FindResult result = fixture.find();
  const rules::Finding* overlap = find_rule_in(result, rules::RuleId::window_overlap);
  ASSERT_NE(overlap, nullptr);
  EXPECT_EQ(overlap->threads, 2U);
  EXPECT_THAT(overlap->message,
              ::testing::HasSubstr("and 1 other thread temporarily set umask 0000"));
}

TEST(Counting, EqualCodeIsOneFindingWhateverTheStackIds) {
  const Fixture fixture = Fixture::parse(storm(10, false));
  rules::FindOptions options;
  options.symbol_chain = [&](StackRef ref) {
    const std::string name = fixture.stack_name(ref);
    return name == "save" ? "write" : name;
  };
  const rules::FindResult result = rules::find(fixture.source(), options);
  const rules::Finding* overlap = find_rule_in(result, rules::RuleId::window_overlap);
  ASSERT_NE(overlap, nullptr);
  EXPECT_EQ(overlap->count, 10U);
  EXPECT_THAT(overlap->message, ::testing::HasSubstr(": 10 objects created by other threads"));
  EXPECT_EQ(overlap->window->count, 10U);
  EXPECT_EQ(result.findings.size(), 2U);
}

TEST(Counting, CallersOfOneFunctionAreOneFinding) {
  const Fixture fixture = Fixture::parse(
      "process exec app 0022\n"
      "create file /a 0600 ino 5 at make\n"
      "chmod /a 0666 ino 5 at share<first\n"
      "create file /b 0600 ino 6 at make\n"
      "chmod /b 0666 ino 6 at share<second\n"
      "create file /c 0600 ino 7 at make\n"
      "chmod /c 0666 ino 7 at other<second\n");
  ASSERT_EQ(fixture.error(), "");
  rules::FindOptions options;
  options.symbol_chain = [&](StackRef ref) { return fixture.stack_name(ref); };
  options.symbol = [&](StackRef ref) {
    const std::string chain = fixture.stack_name(ref);
    return chain.substr(0, chain.find('<'));
  };
  EXPECT_THAT(fixture.describe(find(fixture.source(), options).findings),
              ::testing::UnorderedElementsAre(
                  "world-writable warning end count=2 culprit=share<first victim=make",
                  "world-writable warning end count=1 culprit=other<second victim=make"));
}

TEST(Counting, AWindowThatHitsTwoPlacesOfOneFunctionIsOneWindow) {
  std::string text = kThreads;
  for (int i = 0; i < 10; ++i) {
    text += "tid=2 umask 0022->0000 at probe\n";
    text += "tid=3 create file /d/a" + std::to_string(i) + " 0666 at write\n";
    text += "tid=3 create file /d/b" + std::to_string(i) + " 0666 at save\n";
    text += "tid=3 create file /d/c" + std::to_string(i) + " 0666 at write\n";
    text += "tid=2 umask 0000->0022 at probe_end\n";
  }
  const Fixture fixture = Fixture::parse(text);
  ASSERT_EQ(fixture.error(), "");
  rules::FindOptions options;
  options.symbol_chain = [&](StackRef ref) {
    const std::string name = fixture.stack_name(ref);
    return name == "save" ? "write" : name;
  };
  const rules::FindResult result = rules::find(fixture.source(), options);
  const rules::Finding* overlap = find_rule_in(result, rules::RuleId::window_overlap);
  ASSERT_NE(overlap, nullptr);
  EXPECT_EQ(overlap->count, 30U);
  EXPECT_EQ(overlap->window->count, 10U);
}

TEST(Counting, FinalHitsSayWhatBecameOfTheObject) {
  const Fixture fixture = Fixture::parse(
      "process exec app 0022\n"
      "create file /a.tmp 0666 final 0666 ino 5 at make\n"
      "chmod /a.tmp 0600 ino 5 at close\n"
      "rename /a.tmp /a ino 5\n"
      "create file /b 0666 final 0666 at make\n"
      "unlink /b\n"
      "create file /c 0600 ino 6 at make\n"
      "chmod /c 0666 ino 6 at open\n");
  ASSERT_EQ(fixture.error(), "");
  rules::FindOptions options;
  std::vector<std::string> lines;
  options.on_final_hit = [&](const rules::FinalHit& hit) {
    if (hit.rule != rules::RuleId::world_writable) return;
    lines.push_back(hit.born_path + ' ' + hit.path + ' ' + std::to_string(*hit.last_mode & 077) +
                    ' ' + state_name(hit.state) + (hit.at_end ? " end" : " birth"));
  };
  rules::find(fixture.source(), options);
  EXPECT_THAT(lines, ::testing::ElementsAre("/b /b 54 gone birth", "/a.tmp /a 0 there birth",
                                            "/c /c 54 there end"));
}

TEST(Counting, ExamplesCarryTheWholeStory) {
  const Fixture fixture = Fixture::parse(storm(1));
  const rules::FindResult result = fixture.find();
  const rules::Finding* finding = find_rule_in(result, rules::RuleId::window_overlap);
  ASSERT_NE(finding, nullptr);
  ASSERT_TRUE(finding->culprit && finding->culprit_end && finding->culprit_born &&
              finding->victim_born && finding->window);
  EXPECT_EQ(finding->culprit->tid, 2U);
  EXPECT_EQ(finding->culprit_end->tid, 2U);
  EXPECT_EQ(finding->culprit_born->tid, 1U);
  ASSERT_EQ(finding->victims.size(), 1U);
  const rules::Victim& victim = finding->victims.front();
  EXPECT_EQ(victim.event.tid, 3U);
  EXPECT_EQ(victim.path, "/d/0");
  EXPECT_EQ(victim.requested, 0666U);
  EXPECT_EQ(victim.mask, 0U);
  EXPECT_EQ(victim.expected_mask, 022U);
  EXPECT_EQ(victim.mode, 0666U);
  EXPECT_EQ(victim.expected, 0644U);
  EXPECT_EQ(finding->window->length_ns(), 20U);
  EXPECT_FALSE(finding->window->open_ended);
}

TEST(Counting, SkippedObjectsAreNeitherCountedNorListed) {
  const Fixture fixture = Fixture::parse(storm(10));
  rules::FindOptions options;
  options.skip_object = [](rules::RuleId rule, std::span<const std::string> names) {
    return rule == rules::RuleId::window_overlap && names.front() != "/d/7";
  };
  std::vector<std::string> hits;
  const rules::FindResult result = fixture.find(options, &hits);
  EXPECT_THAT(hits, ::testing::ElementsAre("window-overlap /d/7 0666 0644"));
  EXPECT_EQ(find_rule_in(result, rules::RuleId::window_overlap)->count, 1U);
}

TEST(Counting, AnObjectIsSkippedByAnyOfItsNames) {
  const Fixture fixture = Fixture::parse(
      "process exec app 0022\n"
      "create file /a.tmp 0600 ino 5 at make\n"
      "chmod /a.tmp 0666 ino 5 at open\n"
      "rename /a.tmp /a.other ino 5\n"
      "rename /a.other /a ino 5\n");
  ASSERT_EQ(fixture.error(), "");
  const Fixture born_open = Fixture::parse(
      "process exec app 0022\n"
      "create file /a.tmp 0666 final 0666 ino 5 at make\n"
      "rename /a.tmp /a.other ino 5\n"
      "rename /a.other /a ino 5\n");
  for (const std::string hidden : {"/a.tmp", "/a.other", "/a"}) {
    rules::FindOptions options;
    options.skip_object = [&](rules::RuleId /*rule*/, std::span<const std::string> names) {
      return std::find(names.begin(), names.end(), hidden) != names.end();
    };
    EXPECT_TRUE(fixture.find(options).findings.empty()) << hidden;
    EXPECT_TRUE(born_open.find(options).findings.empty()) << hidden;
  }
  EXPECT_EQ(fixture.find().findings.size(), 1U);
  EXPECT_EQ(born_open.find().findings.size(), 1U);
}

TEST(Counting, DoubtIsCountedAndNotListed) {
  const Fixture fixture = Fixture::parse(std::string(kThreads) +
                                         "tid=2 umask 0022->0000 at probe\n"
                                         "tid=2 umask 0000->0022 at probe_end\n"
                                         "create file /a 0666 changes 0-2 masks 0022,0000 unread\n"
                                         "create file /b 0666 changes 0-2 masks 0022,0000 final "
                                         "0644\n"
                                         "create file /c 0666 mask 0000 final 0611\n");
  ASSERT_EQ(fixture.error(), "");
  std::vector<std::string> hits;
  const rules::FindResult result = fixture.find({}, &hits);
  EXPECT_TRUE(hits.empty());
  EXPECT_EQ(result.stats.creations, 3U);
  EXPECT_EQ(result.stats.ambiguous, 2U);
  EXPECT_EQ(result.stats.resolved, 1U);
  EXPECT_EQ(result.stats.unresolved, 2U);
}

TEST(Counting, ALongCallMeetsTheMasksOfItsBeginning) {
  // The open of a FIFO that was begun under thread 2's mask, hundreds of thread 4's windows ago.
  std::string text = kThreads;
  text += "starts 4\n";
  text += "tid=2 umask 0022->0000 at probe\n";
  text += "tid=2 umask 0000->0022 at probe_end\n";
  for (int i = 0; i < 500; ++i) {
    text += "tid=4 umask 0022->0077 at guard\n";
    text += "tid=4 create file /guarded 0666 at guarded\n";
    text += "tid=4 umask 0077->0022 at guard_end\n";
  }
  text +=
      "tid=3 create fifo /late 0666 changes 0-1002 masks 0022,0000,0077 mask 0000 final 0666 "
      "at write\n";
  const Fixture fixture = Fixture::parse(text);
  ASSERT_EQ(fixture.error(), "");
  const rules::FindResult result = fixture.find();
  const rules::Finding* overlap = find_rule_in(result, rules::RuleId::window_overlap);
  ASSERT_NE(overlap, nullptr);
  EXPECT_EQ(overlap->count, 1U);
  EXPECT_EQ(overlap->culprit->tid, 2U);
  EXPECT_EQ(overlap->victims.front().path, "/late");
  EXPECT_EQ(result.stats.unresolved, 0U);
}

TEST(LastSetters, TheLatestOfAnotherThread) {
  rules::LastSetters last_setters;
  const auto first = std::make_shared<rules::MaskWindow>();
  const auto second = std::make_shared<rules::MaskWindow>();
  EXPECT_EQ(last_setters.other_than(1, 0), nullptr);
  last_setters.set(0, 1, first);
  EXPECT_EQ(last_setters.other_than(1, 0), nullptr);
  EXPECT_EQ(last_setters.other_than(2, 0), first);
  EXPECT_EQ(last_setters.other_than(2, 077), nullptr);
  last_setters.set(0, 2, second);
  EXPECT_EQ(last_setters.other_than(1, 0), second);
  EXPECT_EQ(last_setters.other_than(2, 0), first);
  EXPECT_EQ(last_setters.other_than(3, 0), second);
  last_setters.set(0, 1, first);  // in force again
  EXPECT_EQ(last_setters.other_than(1, 0), second);
  EXPECT_EQ(last_setters.other_than(3, 0), first);
}

TEST(Counting, LateRecordsOfChangesFindTheirPlace) {
  // Thread 2 was stopped between its second umask call and the record of it.
  std::string text = kThreads;
  text += "tid=2 umask 0022->0000 at probe\n";
  text += "tid=2 umask 0000->0022 at probe_end\n";
  text += "tid=3 umask 0022->0077 at guard\n";
  text += "tid=3 umask 0077->0022 at guard_end\n";
  text += "create file /a 0666 at write\n";
  const Fixture in_order = Fixture::parse(text);
  ASSERT_EQ(in_order.error(), "");
  std::vector<Event> events;
  in_order.source()([&](const Event& event) {
    events.push_back(event);
    return true;
  });
  std::rotate(events.begin() + 4, events.begin() + 5, events.end() - 1);
  rules::FindOptions options;
  options.symbol_chain = [&](StackRef ref) { return in_order.stack_name(ref); };
  const rules::FindResult late = rules::find(
      [&](const std::function<bool(const Event&)>& visit) {
        for (const Event& event : events)
          if (!visit(event)) return;
      },
      options);
  EXPECT_EQ(in_order.describe(late.findings), in_order.describe(in_order.find().findings));
  EXPECT_EQ(find_rule_in(late, rules::RuleId::unseen_writer), nullptr);
}

TEST(Counting, WhatARuntimeDoesToReadTheMaskIsANote) {
  const std::string text =
      "process exec node 0022\nstarts 9\ntid=9 create file /a 0600 at write\n"
      "tid=1 umask 0022->0000 at get\ntid=1 umask 0000->0022 at put\n"
      "tid=1 umask 0022->0000 at get\ntid=1 umask 0000->0022 at put\n";
  const Fixture fixture = Fixture::parse(text);
  ASSERT_EQ(fixture.error(), "");
  rules::FindOptions options;
  EXPECT_EQ(find_rule_in(find(fixture.source(), options), rules::RuleId::getter_idiom)->severity,
            rules::Severity::warning);
  options.runtime_idiom = [&](StackRef sets, StackRef restores) {
    EXPECT_EQ(fixture.stack_name(sets), "get");
    EXPECT_EQ(fixture.stack_name(restores), "put");
    return std::string("Node.js 18");
  };
  const rules::FindResult result = rules::find(fixture.source(), options);
  const rules::Finding* getter = find_rule_in(result, rules::RuleId::getter_idiom);
  ASSERT_NE(getter, nullptr);
  EXPECT_EQ(getter->severity, rules::Severity::note);
  EXPECT_EQ(getter->count, 2U);
  EXPECT_THAT(getter->message,
              ::testing::HasSubstr("read the umask 2 times, which Node.js 18 does by "
                                   "setting it to 0000 and back"));
  // Once by the program's own code: as always.
  int asked = 0;
  options.runtime_idiom = [&](StackRef, StackRef) {
    return std::string(++asked == 1 ? "Node.js 18" : "");
  };
  const Fixture mixed = Fixture::parse(text +
                                       "tid=1 umask 0022->0000 at get\n"
                                       "tid=1 umask 0000->0022 at other\n");
  EXPECT_EQ(find_rule_in(find(mixed.source(), options), rules::RuleId::getter_idiom)->severity,
            rules::Severity::warning);
}

}  // namespace
}  // namespace umaskaudit::testing

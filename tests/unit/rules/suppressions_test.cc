// Suppressions and baselines: what they hide, and that they do not hide it for ever.
#include <gmock/gmock.h>

#include <sstream>

#include "reporter/rules/baseline.h"
#include "reporter/rules/suppressions.h"

namespace umaskaudit::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kToday[] = "2026-11-21";

std::vector<std::string> one(const char* name) { return {name}; }

bool always(const Suppression& /*line*/) { return true; }

Suppressions parse(const std::string& text) {
  Result<Suppressions> parsed = Suppressions::parse(text, "known", kToday);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().why);
  return parsed ? *parsed : Suppressions();
}

Finding finding(RuleId rule, const std::string& fingerprint = "") {
  Finding result;
  result.rule = rule;
  result.fingerprint = fingerprint;
  return result;
}

TEST(SuppressionFile, LinesHaveRuleGlobReasonAndEnd) {
  const Suppressions file = parse(
      "# accepted\n"
      "\n"
      "world-writable:/dev/shm/*  # the ring is shared on purpose until=2027-01-01\r\n"
      "*:third_party::init*# not a comment # vendor\n");
  ASSERT_EQ(file.lines().size(), 2U);
  EXPECT_EQ(file.lines()[0].rule, "world-writable");
  EXPECT_EQ(file.lines()[0].glob, "/dev/shm/*");
  EXPECT_EQ(file.lines()[0].reason, "the ring is shared on purpose");
  EXPECT_EQ(file.lines()[0].until, "2027-01-01");
  EXPECT_FALSE(file.lines()[0].expired);
  EXPECT_EQ(file.lines()[1].glob, "third_party::init*# not a comment");
  EXPECT_EQ(file.lines()[1].line, 4U);
}

TEST(SuppressionFile, MistakesNameTheLine) {
  struct Case {
    const char* text;
    const char* why;
  };
  const Case cases[] = {{"\nworld-writable /tmp # x\n", "rule:glob"},
                        {"\nworld-writeable:/tmp # x\n", "no rule 'world-writeable'"},
                        {"\nworld-writable: # x\n", "glob is missing"},
                        {"\nworld-writable:/tmp\n", "reason is missing"},
                        {"\nworld-writable:/tmp # until=2027-01-01\n", "reason is missing"},
                        {"\nworld-writable:/tmp # x until=soon\n", "no date"},
                        {"\nworld-writable:/tmp # x until=2027-13-01\n", "no date"}};
  for (const Case& wrong : cases) {
    const Result<Suppressions> file = Suppressions::parse(wrong.text, "known", kToday);
    ASSERT_FALSE(file) << wrong.text;
    EXPECT_THAT(file.error().what, HasSubstr("known:2"));
    EXPECT_THAT(file.error().why, HasSubstr(wrong.why));
    EXPECT_EQ(file.error().code, ExitCode::usage);
  }
}

TEST(Suppressions, HidePathsAndFunctionsAndCountHits) {
  Suppressions file = parse(
      "world-writable:/dev/shm/*  # shared\n"
      "getter-idiom:libfoo*  # vendor\n");
  EXPECT_TRUE(file.hides(RuleId::world_writable, one("/dev/shm/a/b")));
  EXPECT_FALSE(file.hides(RuleId::group_writable, one("/dev/shm/a")));
  EXPECT_FALSE(file.hides(RuleId::world_writable, one("/srv/a")));
  EXPECT_FALSE(file.hides(RuleId::world_writable, one("")));
  Finding getter = finding(RuleId::getter_idiom);
  file.apply(getter, {"umask_probe", "libfoo.so.1"});
  EXPECT_EQ(getter.suppressed_by, "vendor");
  EXPECT_EQ(file.lines()[0].hits, 1U);
  EXPECT_EQ(file.lines()[1].hits, 1U);
  EXPECT_TRUE(file.complaints(always).empty());
}

TEST(Suppressions, ExpiredOnesHideNothingAndAreReported) {
  Suppressions file = parse(
      "*:/a  # old until=2026-11-20\n"
      "*:/b  # last day until=2026-11-21\n"
      "*:/c  # useless\n");
  EXPECT_FALSE(file.hides(RuleId::world_writable, one("/a")));
  EXPECT_TRUE(file.hides(RuleId::world_writable, one("/b")));
  EXPECT_THAT(file.complaints(always), ElementsAre("known:1: *:/a expired on 2026-11-20 (old)",
                                                   "known:3: *:/c was never hit"));
  // A rule that was not looked at cannot have been hit.
  const auto never = [](const Suppression&) { return false; };
  EXPECT_THAT(file.complaints(never), ElementsAre("known:1: *:/a expired on 2026-11-20 (old)"));
}

BaselineOptions options(const std::string& date = "2026-11-30", const Baseline* older = nullptr) {
  BaselineOptions options;
  options.date = date;
  options.words = [](const Finding&) { return BaselineWords{"app", "a.c:3 in probe", ""}; };
  options.older = older;
  return options;
}

TEST(BaselineFile, IsReviewedALineAFindingAndKeepsItsDates) {
  Finding one = finding(RuleId::window_overlap, "bbbb");
  one.source_prints = {"eeee"};
  std::ostringstream first, second;
  write_baseline(first, {one}, options());
  EXPECT_EQ(first.str(),
            "{\n  \"tool\": \"umaskaudit\",\n  \"version\": 2,\n  \"findings\": [\n"
            "    {\"rule\":\"window-overlap\",\"program\":\"app\",\"place\":\"a.c:3 in probe\","
            "\"first_seen\":\"2026-11-30\",\"title\":\"" +
                std::string(one.info().title) +
                "\",\"fingerprint\":\"bbbb\",\"source_fingerprints\":[\"eeee\"]}\n  ]\n}\n");
  const Result<Baseline> older = Baseline::parse(first.str(), "b.json");
  ASSERT_TRUE(older);
  std::vector<Finding> later = {finding(RuleId::window_overlap, "aaaa"), one};
  write_baseline(second, later, options("2027-01-01", &*older));
  EXPECT_THAT(second.str(), HasSubstr(R"("first_seen":"2027-01-01")"));
  EXPECT_LT(second.str().find("aaaa"), second.str().find("2026-11-30"));
}

TEST(BaselineFile, KnowsOtherBuildsAndTheVersionsBefore) {
  const Result<Baseline> baseline = Baseline::parse(
      R"({"tool":"umaskaudit","version":2,"findings":[
          {"fingerprint":"aaaa","rule":"window-overlap"},
          {"fingerprint":"bbbb","rule":"window-overlap","source_fingerprints":["cccc"]}]})",
      "b.json");
  const Result<Baseline> third = Baseline::parse(
      R"({"tool":"umaskaudit","version":1,"findings":[
          {"fingerprint":"3333","rule":"window-overlap"}]})",
      "b.json");
  ASSERT_TRUE(baseline);
  ASSERT_TRUE(third);
  // Inlined in this build, not in that of the baseline; and the other way round.
  std::vector<Finding> later = {finding(RuleId::window_overlap, "1111"),
                                finding(RuleId::window_overlap, "cccc"),
                                finding(RuleId::window_overlap, "2222")};
  later[0].source_prints = {"aaaa"};
  later[2].source_prints = {"aaaa", "dddd"};
  later[2].third_prints = {"3333"};
  EXPECT_TRUE(baseline->apply(later).empty());
  EXPECT_EQ(later[0].baseline, BaselineState::unchanged);
  EXPECT_EQ(later[1].baseline, BaselineState::unchanged);
  EXPECT_EQ(later[2].baseline, BaselineState::fresh);
  EXPECT_TRUE(third->apply(later).empty());
  EXPECT_EQ(later[0].baseline, BaselineState::fresh);
  EXPECT_EQ(later[2].baseline, BaselineState::unchanged);
}

TEST(BaselineFile, KnowsStrippedCopiesWhereAllOfTheirPlacesAreKnown) {
  Finding one = finding(RuleId::window_overlap, "aaaa");
  Finding two = finding(RuleId::window_overlap, "bbbb");
  one.code_prints = {"1111"};
  two.code_prints = {"2222", "3333"};
  std::ostringstream out;
  write_baseline(out, {one, two}, options());
  EXPECT_THAT(out.str(), HasSubstr(R"("code_fingerprints":["2222","3333"])"));
  const Result<Baseline> baseline = Baseline::parse(out.str(), "b.json");
  ASSERT_TRUE(baseline);
  EXPECT_TRUE(baseline->has_code_prints());
  // Without names all functions of a module are one finding.
  std::vector<Finding> stripped = {finding(RuleId::window_overlap, "cccc")};
  stripped[0].code_prints = {"1111", "3333", "2222"};
  EXPECT_TRUE(baseline->apply(stripped).empty());
  EXPECT_EQ(stripped[0].baseline, BaselineState::unchanged);
  stripped[0].code_prints.emplace_back("4444");
  EXPECT_TRUE(baseline->apply(stripped).empty());
  EXPECT_EQ(stripped[0].baseline, BaselineState::fresh);
}

TEST(BaselineFile, RoundTrip) {
  std::vector<Finding> findings = {finding(RuleId::lost_mask, "bbbb"),
                                   finding(RuleId::window_overlap, "aaaa"),
                                   finding(RuleId::umask_zero, "cccc")};
  findings[2].suppressed_by = "accepted";
  std::ostringstream out;
  write_baseline(out, findings, options());
  EXPECT_LT(out.str().find("bbbb"), out.str().find("aaaa"));  // by rule
  EXPECT_THAT(out.str(), ::testing::Not(HasSubstr("cccc")));

  const Result<Baseline> baseline = Baseline::parse(out.str(), "b.json");
  ASSERT_TRUE(baseline);
  std::vector<Finding> later = {finding(RuleId::window_overlap, "aaaa"),
                                finding(RuleId::window_overlap, "dddd")};
  const std::vector<KnownFinding> gone = baseline->apply(later);
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].fingerprint, "bbbb");
  EXPECT_EQ(gone[0].rule, "lost-mask");
  EXPECT_EQ(later[0].baseline, BaselineState::unchanged);
  EXPECT_EQ(later[1].baseline, BaselineState::fresh);
}

TEST(BaselineFile, OneOfTheSecondVersionHidesWhatItHasAllPartsOf) {
  const Result<Baseline> baseline = Baseline::parse(
      R"({"tool":"umaskaudit","version":1,"findings":[
          {"fingerprint":"aaaa","rule":"window-overlap"},
          {"fingerprint":"bbbb","rule":"window-overlap"},
          {"fingerprint":"cccc","rule":"window-overlap"}]})",
      "b.json");
  ASSERT_TRUE(baseline);
  std::vector<Finding> later = {finding(RuleId::window_overlap, "1111"),
                                finding(RuleId::window_overlap, "2222")};
  later[0].older_prints = {"aaaa", "bbbb"};
  later[1].older_prints = {"bbbb", "dddd"};
  const std::vector<KnownFinding> gone = baseline->apply(later);
  EXPECT_EQ(later[0].baseline, BaselineState::unchanged);
  EXPECT_EQ(later[1].baseline, BaselineState::fresh);
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].fingerprint, "cccc");
}

TEST(BaselineFile, ForeignFilesAreRefused) {
  for (const char* text : {"", "{", "[]", "{}", R"({"tool":"other","version":1,"findings":[]})",
                           R"({"tool":"umaskaudit","version":3,"findings":[]})",
                           R"({"tool":"umaskaudit","version":"1","findings":[]})",
                           R"({"tool":"umaskaudit","version":1})",
                           R"({"tool":"umaskaudit","version":1,"findings":[{"rule":"x"}]})",
                           R"({"tool":"umaskaudit","version":1,"findings":[{"fingerprint":3}]})",
                           R"({"tool":7,"version":1,"findings":[]})"}) {
    const Result<Baseline> baseline = Baseline::parse(text, "b.json");
    ASSERT_FALSE(baseline) << text;
    EXPECT_EQ(baseline.error().code, ExitCode::usage);
  }
}

}  // namespace
}  // namespace umaskaudit::rules

// `check` as users meet it: exit codes, the report of a finding, and the files it reads and writes.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reporter/commands/cli.h"
#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::uint32_t kPid = 100;
constexpr std::uint32_t kLocker = 101;
constexpr std::uint32_t kWriter = 102;

struct Outcome {
  int code = 0;
  std::string out, err;
};

// A run in which `locker` probes the umask while `writer` creates a file with a hostile name.
class CheckTest : public ::testing::Test {
 protected:
  CheckTest() : segment_(kPid) {
    begin_image(&segment_, "app");
    trace::Module app{};
    app.id = 1;
    app.end = 0x10000;
    segment_.module({kPid, 1010}, app, "\x01\x02", "/nonexistent/app");
    for (const std::uint32_t id : {1u, 2u, 3u, 4u}) {
      trace::Stack stack{};
      stack.id = id;
      segment_.stack({kPid, 1010}, stack, {std::uint64_t{1} << 48 | (std::uint64_t{0x1000} * id)});
    }
    start(kLocker, "lock\x1b[31mer", 1020);
    start(kWriter, "writer", 1030);
  }

  void start(std::uint32_t tid, std::string_view name, std::uint64_t time) {
    trace::ThreadCreate birth{};
    birth.handle = tid;
    birth.stack = 4;
    segment_.thread_create({kPid, time}, birth);
    trace::Thread thread{};
    thread.tid = tid;
    thread.context = 1;
    thread.handle = tid;
    segment_.thread({tid, time + 1}, thread, name);
  }

  void probe_and_create() {
    umask(2000, 1, 022, 0, 1);
    trace::Create facts = creation(1, 1, 0);
    facts.stack = 3;
    segment_.create({kWriter, 3000}, facts, "/srv/a\x1b[2J.log");
    umask(6000, 2, 0, 022, 2);
  }

  void umask(std::uint64_t time, std::uint64_t change, std::uint16_t old_mask, std::uint16_t mask,
             std::uint32_t stack) {
    trace::Umask facts = mask_change(1, change, old_mask, mask);
    facts.stack = stack;
    segment_.umask({kLocker, time}, facts);
  }

  std::string file(const std::string& name, const std::string& text) const {
    const std::string path = files_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  Outcome check(std::vector<std::string> options = {}) {
    directory_.add(segment_);
    options.insert(options.begin(), {"check", "--no-symbols", directory_.path()});
    std::ostringstream out, err;
    Console console{out, err};
    Outcome outcome;
    outcome.code = commands::run_cli(options, console);
    outcome.out = out.str();
    outcome.err = err.str();
    return outcome;
  }

  SegmentBuilder segment_;
  RunDirectory directory_, files_;
};

TEST_F(CheckTest, CleanRunIsZero) {
  const Outcome outcome = check();
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, HasSubstr("0 errors, 0 warnings, 0 notes; 0 objects, 0 mask changes"));
}

TEST_F(CheckTest, FindingHasTwoSidesAWindowAndASummary) {
  probe_and_create();
  const Outcome outcome = check();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, Not(HasSubstr("\x1b")));
  EXPECT_THAT(
      outcome.out,
      StartsWith(
          "ERROR: window-overlap (CWE-362): One thread's temporary umask opened another thread's "
          "files\n"
          "  thread 'lock\\x1b[31mer' (101) temporarily set umask 0000 for 4 us: "
          "'/srv/a\\x1b[2J.log', created by\n"
          "  thread 'writer' (102), got the wrong mode, 0666 instead of 0644; now the group and "
          "others may\n  write\n"
          "  Culprit: umask 0022 -> 0000 by thread 'lock\\x1b[31mer' (101) at +0.000001 s\n"
          "    #0 ?? (app+0x1000)\n"
          "  Ended 4 us later by umask at app+0x2000\n"
          "  Victim: open of '/srv/a\\x1b[2J.log' by thread 'writer' (102), returned at "
          "+0.000002 s\n"
          "    #0 ?? (app+0x3000)\n"
          "  Thread 'lock\\x1b[31mer' (101) was created by thread 'app' at app+0x4000\n"
          "  Thread 'writer' (102) was created by thread 'app' at app+0x4000\n"
          "    0022 |0000=========^==========================================| 0022  ^ created\n"
          "  Objects (1):\n"
          "    0666 instead of 0644  file /srv/a\\x1b[2J.log  (requested 0666, umask 0000 not "
          "0022)\n"
          "SUMMARY: umaskaudit: window-overlap app+0x1000, hit app+0x3000, 1 object\n"
          "==================\n"
          "WARNING: getter-idiom (CWE-362): The umask was read by changing it\n"));
  EXPECT_THAT(outcome.out, HasSubstr("  Culprit: app+0x1000, as above\n"));
  EXPECT_THAT(outcome.out,
              HasSubstr("  window-overlap: Do not change the umask for one object.\n"));
  EXPECT_THAT(
      outcome.out,
      HasSubstr("SUMMARY: umaskaudit: window-overlap app+0x1000, hit app+0x3000, 1 object"));
}

TEST_F(CheckTest, FailOnDecidesTheExitCode) {
  umask(2000, 1, 022, 0, 1);  // a probe that hit no creation: a warning
  umask(6000, 2, 0, 022, 2);
  EXPECT_EQ(check().code, 1);
  EXPECT_EQ(check({"--fail-on", "warning"}).code, 1);
  EXPECT_EQ(check({"--fail-on", "error"}).code, 0);
}

TEST_F(CheckTest, UsageErrorsAreTwo) {
  EXPECT_EQ(check({"--policy", "/nonexistent"}).code, 2);
  EXPECT_EQ(check({"--baseline", "/nonexistent"}).code, 2);
  EXPECT_EQ(check({"--suppressions", "/nonexistent"}).code, 2);
  EXPECT_EQ(check({"--fail-on", "fatal"}).code, 2);
  const Outcome outcome = check({"--policy", file("p.toml", "[[path]]\nwidest = 3\n")});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("p.toml:2:10: bad policy"));
}

TEST_F(CheckTest, IncompleteRunIsThree) {
  segment_.header().lost[static_cast<unsigned>(trace::Loss::segment_full)] = 7;
  const Outcome outcome = check();
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("7 records lost, at most 0 allowed"));
  EXPECT_EQ(check({"--max-loss", "7"}).code, 0);
  EXPECT_EQ(check({"--max-loss", "6"}).code, 3);
}

TEST_F(CheckTest, LinesOfTheLiveLogAreNoLoss) {
  segment_.header().lost[static_cast<unsigned>(trace::Loss::log_dropped)] = 7;
  EXPECT_EQ(check().code, 0);
}

TEST_F(CheckTest, BaselineKnowsOldFindings) {
  probe_and_create();
  const std::string baseline = files_.path() + "/b.json";
  EXPECT_EQ(check({"--write-baseline", baseline}).code, 0);
  const Outcome known = check({"--baseline", baseline});
  EXPECT_EQ(known.code, 0);
  EXPECT_THAT(known.out, HasSubstr("2 known from the baseline"));
  EXPECT_THAT(known.out, Not(HasSubstr("SUMMARY")));
  const std::string other = file("o.json", R"({"tool":"umaskaudit","version":1,"findings":[]})");
  EXPECT_EQ(check({"--baseline", other}).code, 1);
}

TEST_F(CheckTest, SuppressionsHideAndComplain) {
  probe_and_create();
  const Outcome hidden = check({"--suppressions", file("s",
                                                       "window-overlap:/srv/*  # seen\n"
                                                       "getter-idiom:app  # vendor\n"
                                                       "umask-zero:/old/*  # gone\n")});
  EXPECT_EQ(hidden.code, 0);
  EXPECT_THAT(hidden.out, HasSubstr("1 suppressed"));
  EXPECT_THAT(hidden.out, HasSubstr("suppressed: 1 by window-overlap:/srv/*  # seen"));
  EXPECT_THAT(hidden.err, HasSubstr("umask-zero:/old/* was never hit"));
}

TEST_F(CheckTest, ObjectsAreThoseOfTheSelectedRule) {
  probe_and_create();
  trace::Create open_to_all = creation(1, 2, 022);
  open_to_all.requested = open_to_all.final_mode = 0666;
  segment_.create({kWriter, 7000}, open_to_all, "/srv/shared");
  const std::string objects = files_.path() + "/objects";
  const auto rules = [&](std::vector<std::string> options) {
    options.insert(options.end(), {"--objects", objects});
    (void)check(options);
    std::ifstream file(objects);
    std::vector<std::string> names;
    for (std::string line; std::getline(file, line);)
      names.push_back(nlohmann::json::parse(line)["rule"]);
    return names;
  };
  EXPECT_THAT(rules({}), ElementsAre("window-overlap", "world-writable"));
  EXPECT_THAT(rules({"--rule", "world-writable"}), ElementsAre("world-writable"));
  EXPECT_THAT(rules({"--rule", "window-overlap"}), ElementsAre("window-overlap"));
  EXPECT_THAT(rules({"--severity", "error"}), ElementsAre("window-overlap"));
  EXPECT_THAT(rules({"--kind", "dir"}), ElementsAre());
}

TEST_F(CheckTest, JsonLinesAndObjects) {
  probe_and_create();
  const std::string objects = files_.path() + "/objects";
  const Outcome outcome = check({"--format", "jsonl", "--objects", objects});
  std::istringstream lines(outcome.out);
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const auto finding = nlohmann::json::parse(line);
  EXPECT_EQ(finding["type"], "finding");
  EXPECT_EQ(finding["rule"], "window-overlap");
  EXPECT_EQ(finding["cwe"], "CWE-362");
  EXPECT_EQ(finding["count"], 1);
  EXPECT_EQ(finding["window"]["mask_before"], "0022");
  EXPECT_EQ(finding["victims"][0]["expected"], "0644");
  EXPECT_EQ(finding["events"].size(), 3U);

  std::ifstream file(objects);
  ASSERT_TRUE(std::getline(file, line));
  const auto hit = nlohmann::json::parse(line);
  EXPECT_EQ(hit["rule"], "window-overlap");
  EXPECT_EQ(hit["path"], "/srv/a\x1b[2J.log");
  EXPECT_EQ(hit["mode"], "0666");
  EXPECT_FALSE(std::getline(file, line));
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::status(objects).permissions() & fs::perms::mask,
            fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace
}  // namespace umaskaudit::testing

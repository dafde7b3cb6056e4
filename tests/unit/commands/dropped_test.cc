// What the reports say of a run that keep=latest has dropped the begin of.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "reporter/commands/cli.h"
#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using trace::ChunkUse;

constexpr std::uint64_t kEndOfFour = trace::kFirstChunk + 3 * trace::kChunk;
constexpr std::uint64_t kSecond = 1000000000;

trace::Total total_of(trace::RecordType type, std::uint64_t count, std::uint32_t stack) {
  trace::Total total{};
  total.key = 1;
  total.type = static_cast<std::uint16_t>(type);
  total.count = count;
  total.first_ns = 2 * kSecond;
  total.last_ns = 59 * kSecond;
  total.stack = stack;
  return total;
}

class DroppedTest : public ::testing::Test {
 protected:
  DroppedTest() {
    begin_image(&segment_, "app");
    trace::Module app{};
    app.id = 1;
    app.end = 0x10000;
    segment_.module({100, 1010}, app, "\x01\x02", "/nonexistent/app");
    for (const std::uint32_t id : {1u, 2u, 3u}) {
      trace::Stack stack{};
      stack.id = id;
      // The first two are one place: other callers.
      const std::uint64_t caller = std::uint64_t{1} << 48 | (0x5000 + id * 16);
      segment_.stack({100, 1010}, stack,
                     {std::uint64_t{1} << 48 | (id == 3 ? 0x3000u : 0x1000u), caller});
    }
    segment_.add_ring(kEndOfFour, 4);
    segment_.ring().whole_since_ns = 60 * kSecond;
    segment_.ring().dropped = 1204000;
    for (const std::uint32_t stack : {1u, 2u}) {
      trace::Total made = total_of(trace::RecordType::create, 600000, stack);
      made.kind = static_cast<std::uint8_t>(trace::Kind::file);
      made.created = static_cast<std::uint8_t>(trace::Created::yes);
      made.requested = 0666;
      made.mask = 022;
      made.mode = 0100644;
      segment_.total(made);
    }
    trace::Total change = total_of(trace::RecordType::umask, 4000, 3);
    change.call = 2;
    change.mask = 022;
    change.mode = 0;
    segment_.total(change);
    segment_.take_chunk(1, ChunkUse::events);
    segment_.create({100, 61 * kSecond}, creation(1, 900, 022), "/tmp/dropped-by");
  }

  void run(std::vector<std::string> arguments) {
    const RunDirectory directory;
    directory.add(segment_);
    for (std::string& word : arguments)
      if (word == "RUN") word = directory.path();
    std::ostringstream out, err;
    Console console{out, err};
    code_ = commands::run_cli(arguments, console);
    out_ = out.str();
    err_ = err.str();
  }
  std::vector<nlohmann::json> lines(const char* type) const {
    std::vector<nlohmann::json> found;
    std::istringstream all(out_);
    for (std::string line; std::getline(all, line);) {
      nlohmann::json parsed = nlohmann::json::parse(line);
      if (parsed["type"] == type) found.push_back(std::move(parsed));
    }
    return found;
  }

  SegmentBuilder segment_{100, 1000};
  int code_ = 0;
  std::string out_, err_;
};

TEST_F(DroppedTest, TheTextSaysFromWhenOnTheRecordIsWhole) {
  run({"report", "RUN"});
  EXPECT_THAT(out_, HasSubstr("record     whole from 2023-11-14 22:14:20 UTC on\n"));
  EXPECT_THAT(out_, HasSubstr("The record is whole from 2023-11-14 22:14:20 UTC on (keep=latest). "
                              "1204000 earlier events were"));
  EXPECT_THAT(out_, Not(HasSubstr("INCOMPLETE")));
  // One row for one place, the most first.
  const std::size_t files = out_.find("1200000  open   file");
  const std::size_t changes = out_.find("   4000  umask  mask change  0022 -> 0000");
  EXPECT_NE(files, std::string::npos) << out_;
  EXPECT_NE(changes, std::string::npos) << out_;
  EXPECT_LT(files, changes);
}

TEST_F(DroppedTest, TheSummaryHasAllRows) {
  run({"report", "RUN", "--format", "json"});
  const auto dropped = nlohmann::json::parse(out_)["dropped"];
  EXPECT_EQ(dropped["whole_since_ns"], 60 * kSecond);
  EXPECT_EQ(dropped["count"], 1204000);
  ASSERT_EQ(dropped["events"].size(), 2u);
  EXPECT_EQ(dropped["events"][0]["count"], 1200000);
  EXPECT_EQ(dropped["events"][0]["of"], "create");
  EXPECT_EQ(dropped["events"][0]["final"], "0644");
  EXPECT_EQ(dropped["events"][1]["old"], "0022");
  EXPECT_EQ(dropped["events"][1]["new"], "0000");
}

TEST_F(DroppedTest, JsonLinesHaveTotalsBehindTheirStacks) {
  run({"report", "RUN", "--format", "jsonl"});
  ASSERT_EQ(lines("run").size(), 1u);
  EXPECT_EQ(lines("run")[0]["whole_since_ns"], 60 * kSecond);
  EXPECT_EQ(lines("run")[0]["complete"], true);
  const auto totals = lines("total");
  ASSERT_EQ(totals.size(), 2u);
  EXPECT_EQ(totals[0]["count"], 1200000);
  EXPECT_EQ(totals[0]["kind"], "file");
  EXPECT_EQ(totals[0]["created"], true);
  EXPECT_EQ(totals[1]["of"], "umask");
  EXPECT_LT(out_.find(R"("type":"stack","id":1)"), out_.find(R"("type":"total")"));
  ASSERT_EQ(lines("create").size(), 1u);
  EXPECT_EQ(lines("create")[0]["mask_set_by"], "dropped");
  ASSERT_EQ(lines("object").size(), 1u);
  EXPECT_EQ(lines("object")[0]["mask_set_by"], "dropped");
}

TEST_F(DroppedTest, BlameDoesNotCallTheMaskInherited) {
  run({"blame", "RUN", "/tmp/dropped-by"});
  EXPECT_THAT(out_, HasSubstr("set before the record is whole (2023-11-14 22:14:20 UTC)"));
  EXPECT_THAT(out_, Not(HasSubstr("inherited")));
  run({"blame", "RUN", "/tmp/other"});
  EXPECT_THAT(err_, HasSubstr("before the record is whole"));
}

TEST_F(DroppedTest, CheckSaysWhatItDidNotJudgeAndPasses) {
  run({"check", "RUN"});
  EXPECT_EQ(code_, 0) << out_;
  EXPECT_THAT(err_, HasSubstr("what was dropped was not judged: The record is whole from"));
}

// A window of another thread whose end was dropped with others of its kind.
TEST_F(DroppedTest, AWindowDoesNotReachAcrossAGap) {
  segment_.seek(segment_.header().header_length + 8192);
  trace::Umask open = mask_change(1, 1, 022, 0);
  open.stack = 3;
  segment_.umask({100, 1100}, open);
  trace::Umask close = mask_change(1, 2, 0, 022);
  close.stack = 2;
  segment_.umask({100, 1110}, close);
  open.change = 3;
  segment_.umask({100, 1120}, open);
  segment_.seek(trace::kFirstChunk + 8192);
  segment_.thread({101, 62 * kSecond}, {101, 1, 7, {}}, "writer");
  segment_.create({101, 63 * kSecond}, creation(1, 901, 0), "/tmp/under-zero");
  segment_.create({101, 64 * kSecond}, creation(1, 902, 077), "/tmp/private");
  run({"check", "RUN", "--format", "jsonl"});
  EXPECT_THAT(out_, Not(HasSubstr("window-overlap"))) << out_;
  EXPECT_THAT(out_, Not(HasSubstr("leaked-mask"))) << out_;
  EXPECT_THAT(out_, Not(HasSubstr("lost-mask"))) << out_;
  EXPECT_THAT(out_, Not(HasSubstr("started with umask 0000"))) << out_;
}

TEST_F(DroppedTest, ASnapshotReplacesNoRunUnasked) {
  const RunDirectory source, target;
  source.add(segment_);
  const auto snapshot = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "snapshot");
    std::ostringstream out, err;
    Console console{out, err};
    code_ = commands::run_cli(words, console);
    err_ = err.str();
  };
  const std::string copy = target.path() + "/copy";
  snapshot({source.path(), "-o", copy});
  EXPECT_EQ(code_, 0) << err_;
  EXPECT_EQ(only<CreateEvent>(open_or_die(copy)).size(), 1u);
  snapshot({source.path(), "-o", copy});
  EXPECT_EQ(code_, 4);
  EXPECT_THAT(err_, HasSubstr("it holds a run already); try --force to replace it"));
  snapshot({source.path(), "-o", copy, "--force"});
  EXPECT_EQ(code_, 0) << err_;
  snapshot({copy, "-o", copy, "--force"});
  EXPECT_EQ(code_, 4);
  EXPECT_THAT(err_, HasSubstr("it is the run itself"));
  EXPECT_EQ(only<CreateEvent>(open_or_die(copy)).size(), 1u) << "it is there still";
  snapshot({target.path() + "/none", "-o", copy});
  EXPECT_EQ(code_, 3);
  EXPECT_THAT(err_, HasSubstr("No such file or directory"));
  snapshot({target.path(), "-o", copy, "--force"});
  EXPECT_EQ(code_, 3);
  EXPECT_THAT(err_, HasSubstr("it holds no run"));
}

TEST_F(DroppedTest, MaskChangesBeyondTheirPartAreCountedByPlace) {
  segment_.header().ring = 0;
  run({"report", "RUN"});
  EXPECT_THAT(out_, HasSubstr("1204000 events were counted and not recorded"));
  EXPECT_THAT(out_, Not(HasSubstr("whole from")));
}

}  // namespace
}  // namespace umaskaudit::testing

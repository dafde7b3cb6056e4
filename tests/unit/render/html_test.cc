// The page's data: nothing in it ends its block or hides, and what it leaves out it says.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "reporter/commands/cli.h"
#include "reporter/render/html/html.h"
#include "reporter/render/html/script_safe.h"
#include "reporter/text/escape.h"
#include "tests/unit/reader/run_helpers.h"
#include "tests/unit/render/fixture_run.h"

namespace umaskaudit::render {
namespace {

using testing::RunDirectory;
using testing::SegmentBuilder;

constexpr std::uint16_t kOpen = 0, kUmask = 2, kChmod = 5;
constexpr std::uint32_t kPid = 100, kMaker = 101;

std::string page_of(const RunDirectory& run, const std::vector<std::string>& options = {}) {
  std::ostringstream out, err;
  Console console{out, err};
  std::vector<std::string> arguments{"report", run.path(), "--format", "html"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  EXPECT_EQ(commands::run_cli(arguments, console), 0) << err.str();
  return out.str();
}

// The data block, cut out as a browser does it: at the first end tag behind its start tag.
std::string block_of(const std::string& page) {
  const std::string begin = R"(<script type="application/json" id="data">)";
  const std::size_t at = page.find(begin);
  EXPECT_NE(at, std::string::npos);
  const std::size_t data = at + begin.size();
  return page.substr(data, page.find("</script", data) - data);
}

nlohmann::json data_of(const std::string& page) {
  auto data = nlohmann::json::parse(block_of(page), nullptr, false);
  EXPECT_TRUE(data.is_object()) << block_of(page).substr(0, 2000);
  return data;
}

std::string path_of(const nlohmann::json& data, const nlohmann::json& row) {
  return data["texts"][row[5].get<std::size_t>()].get<std::string>() + row[6].get<std::string>();
}

// A thread that changes the mask to and fro, and another one that creates meanwhile.
class Program {
 public:
  Program() : segment_(kPid) {
    begin_image(&segment_, "app");
    trace::Thread thread{};
    thread.tid = kMaker;
    thread.context = 1;
    segment_.thread({kMaker, now_}, thread, "maker");
  }

  void umask(std::uint16_t mask) {
    trace::Umask record = testing::mask_change(1, ++changes_, mask_, mask);
    record.call = kUmask;
    mask_ = mask;
    segment_.umask({kPid, now_ += 1000}, record);
  }

  void create(std::string_view path) {
    trace::Create record{};
    record.context = 1;
    record.change_before = record.change_after = changes_;
    record.mask_before = record.mask_after = mask_;
    record.call = kOpen;
    record.kind = static_cast<std::uint8_t>(trace::Kind::file);
    record.created = static_cast<std::uint8_t>(trace::Created::yes);
    record.requested = 0666;
    record.final_mode = 0100000u | (0666u & ~std::uint32_t{mask_});
    record.dev = 8;
    record.ino = ++inode_;
    segment_.create({kMaker, now_ += 1000}, record, path);
  }

  // Of the latest object.
  void chmod(std::uint32_t mode) {
    trace::Chmod record{};
    record.context = 1;
    record.requested = mode;
    record.final_mode = 0100000u | mode;
    record.dev = 8;
    record.ino = inode_;
    record.call = kChmod;
    segment_.chmod({kMaker, now_ += 1000}, record, "");
  }

  void write(const RunDirectory& run) { run.add(segment_); }

 private:
  SegmentBuilder segment_;
  std::uint64_t now_ = 2000, changes_ = 0, inode_ = 0;
  std::uint16_t mask_ = 022;
};

TEST(ScriptSafe, LeavesNoMarkup) {
  std::string out;
  html::append_script_safe(out, R"({"a":"</script><!--&lt;","b":[1,2]})");
  EXPECT_EQ(out, R"({"a":"\u003c/script\u003e\u003c!--\u0026lt;","b":[1,2]})");
  const auto parsed = nlohmann::json::parse(out);
  EXPECT_EQ(parsed["a"], "</script><!--&lt;");
  EXPECT_EQ(parsed["b"], nlohmann::json::parse("[1,2]"));
}

TEST(HtmlPage, KeepsHostileNamesInsideItsBlock) {
  const std::string names[] = {
      "/tmp/</script><script>alert(1)</script>",
      "/tmp/<!--",
      "/tmp/<!--<script>",
      "/tmp/]]>&quot;'\"\\",
      "/tmp/line\xe2\x80\xa8paragraph\xe2\x80\xa9",
      "/tmp/bad\xff\xc0\x80utf8",
      "/tmp/\xe2\x80\xaetxt.exe",
      "/tmp/\x1b[31mred\n\t\x7f",
      "/tmp/\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
      "relative",
      "/trailing",
  };
  Program program;
  for (const std::string& name : names) program.create(name);
  const RunDirectory run;
  program.write(run);
  const std::string block = block_of(page_of(run));
  EXPECT_EQ(block.find_first_of("<>&"), std::string::npos);
  for (const char* hidden : {"\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xae", "\x1b", "\x7f"})
    EXPECT_EQ(block.find(hidden), std::string::npos);
  EXPECT_TRUE(valid_utf8(block));
  const auto data = data_of(page_of(run));
  ASSERT_EQ(data["objects"].size(), std::size(names));
  for (std::size_t i = 0; i < std::size(names); ++i) {
    // The reader makes a relative path absolute where it can; here it cannot.
    EXPECT_EQ(path_of(data, data["objects"][i]), escape(names[i]));
  }
}

TEST(HtmlPage, RefersToNothingOutside) {
  const RunDirectory run;
  write_fixture_run(run);
  const std::string page = page_of(run);
  for (const char* word : {"http://", "https://", "@import", "url(", " src=", "unsafe-inline"})
    EXPECT_EQ(page.find(word), std::string::npos) << word;
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(HtmlPage, KeepsWhatFindingsNameWhenItIsFull) {
  Program program;
  program.umask(022);
  for (int i = 0; i < 20; ++i) program.create("/tmp/plain" + std::to_string(i));
  program.umask(0);
  program.create("/tmp/hit");
  program.umask(022);
  program.create("/tmp/last");
  const RunDirectory run;
  program.write(run);
  const auto data = data_of(page_of(run, {"--limit", "3"}));
  EXPECT_EQ(data["totals"]["objects"], 22);
  std::vector<std::string> shown;
  for (const auto& row : data["objects"]) shown.push_back(path_of(data, row));
  EXPECT_EQ(shown, (std::vector<std::string>{"/tmp/plain0", "/tmp/plain1", "/tmp/hit"}));
  // The finding's example leads to the row.
  const auto& victim = data["findings"][0]["victims"][0];
  EXPECT_EQ(victim["path"], "/tmp/hit");
  EXPECT_EQ(victim["event"][4], 2);
  EXPECT_EQ(data_of(page_of(run, {"--limit", "0"}))["objects"].size(), 22u);
}

// Addresses name an object by that: a page that has less names it the same.
TEST(HtmlPage, HasTheNumberThatAnObjectHasInTheRecord) {
  Program program;
  program.create("/tmp/first");
  program.umask(0);
  program.create("/tmp/hit");
  const RunDirectory run;
  program.write(run);
  const auto seqs = [](const nlohmann::json& data) {
    std::map<std::string, std::uint64_t> found;
    std::uint64_t seq = 0;
    for (const auto& row : data["objects"])
      found[path_of(data, row)] = seq += row[7].get<std::uint64_t>();
    return found;
  };
  const auto all = seqs(data_of(page_of(run))), one = seqs(data_of(page_of(run, {"--limit", "1"})));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all.at("/tmp/hit"), all.at("/tmp/first") + 2);  // the mask change is between them
  EXPECT_EQ(one, (std::map<std::string, std::uint64_t>{{"/tmp/hit", all.at("/tmp/hit")}}));
}

TEST(HtmlPage, SaysWhereItsRunIs) {
  Program program;
  program.create("/tmp/one");
  const RunDirectory run;
  program.write(run);
  const std::string place = data_of(page_of(run))["run"]["place"];
  EXPECT_EQ(place.front(), '/');
  EXPECT_TRUE(std::filesystem::equivalent(place, run.path()));
}

TEST(HtmlPage, LeadsFromEachExampleToItsRowAndFate) {
  Program program;
  program.create("/tmp/other");
  program.create("/tmp/late");
  program.chmod(0600);
  const RunDirectory run;
  program.write(run);
  const auto data = data_of(page_of(run, {"--limit", "1"}));
  ASSERT_EQ(data["findings"].size(), 1u);
  EXPECT_EQ(data["rules"][data["findings"][0]["rule"].get<std::size_t>()]["id"],
            "create-then-chmod");
  EXPECT_EQ(data["findings"][0]["victims"][0]["event"][4], 0);
  ASSERT_EQ(data["objects"].size(), 1u);
  EXPECT_EQ(path_of(data, data["objects"][0]), "/tmp/late");
  EXPECT_EQ(data["objects"][0][8], 1 << data["findings"][0]["rule"].get<int>());
  ASSERT_EQ(data["fates"].size(), 1u);
  EXPECT_EQ(data["fates"][0][0], 0);
  EXPECT_EQ(data["fates"][0][1], 1000);
  EXPECT_EQ(data["fates"][0][6], 0600);
}

TEST(HtmlPage, CountsTheChangesThatItLeavesOut) {
  Program program;
  for (int i = 0; i < 100; ++i) {
    program.umask(0);
    if (i == 50) program.create("/tmp/hit");
    program.umask(022);
  }
  const RunDirectory run;
  program.write(run);
  const auto data = data_of(page_of(run, {"--limit", "10"}));
  EXPECT_EQ(data["totals"]["changes"], 200);
  // The change that set the mask of the object, the one that ended it, and the first window, which
  // a finding names.
  std::vector<std::int64_t> ids;
  for (const auto& row : data["changes"])
    ids.push_back((ids.empty() ? 0 : ids.back()) + row[3].get<std::int64_t>());
  ASSERT_EQ(data["findings"].size(), 2u);
  EXPECT_EQ(data["findings"][1]["culprit"][5], 1);
  EXPECT_EQ(ids, (std::vector<std::int64_t>{1, 2, 3, 101, 102, 103}));
  EXPECT_EQ(data["objects"][0][4], 101);
  EXPECT_EQ(data["windows"], nlohmann::json::parse("[1,2,3,4,101,102,103,104]"));
  std::uint64_t left_out = 0;
  for (std::size_t i = 0; i < data["gaps"].size(); i += 5)
    left_out += data["gaps"][i + 2].get<std::uint64_t>();
  EXPECT_EQ(left_out, 200u - ids.size());
}

TEST(HtmlPage, ShowsTheMaskToAFilteredObject) {
  Program program;
  program.umask(077);
  program.create("/tmp/one");
  program.create("/tmp/two");
  const RunDirectory run;
  program.write(run);
  const auto data = data_of(page_of(run, {"--path", "*two"}));
  ASSERT_EQ(data["objects"].size(), 1u);
  EXPECT_EQ(path_of(data, data["objects"][0]), "/tmp/two");
  EXPECT_EQ(data["changes"].size(), 1u);
  EXPECT_EQ(data["run"]["filtered"], true);
}

TEST(HtmlPage, DerivesAsTheCalculusDoes) {
  Program program;
  program.umask(027);
  program.create("/tmp/file");
  const RunDirectory run;
  program.write(run);
  const auto data = data_of(page_of(run));
  const auto& shape = data["shapes"][data["objects"][0][3].get<std::size_t>()];
  EXPECT_EQ(shape["final"], 0640);
  EXPECT_EQ(shape["rows"], nlohmann::json::parse(R"([["mask",23],["complement",488],["request",438],
                                                     ["AND",416],["result",416]])"));
  EXPECT_EQ(shape["steps"].size(), 2u);
  EXPECT_EQ(shape["steps"][1][0], "umask");
  EXPECT_EQ(shape["steps"][1][2], 0026);
  EXPECT_EQ(shape["line"], "0666 & ~0027 = 0640");
}

}  // namespace
}  // namespace umaskaudit::render

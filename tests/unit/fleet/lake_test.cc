// Places of runs in a lake: names, and that a run is there as a whole or not at all.
#include "reporter/fleet/lake.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>

#include "reporter/text/time_text.h"

namespace umaskaudit::fleet {
namespace {

namespace fs = std::filesystem;

class Lake : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "/lake-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    top_ = name;
  }
  void TearDown() override { fs::remove_all(top_); }

  // Commits a run whose only file says `text`.
  std::string put(const RunKey& key, const std::string& text) {
    auto run = NewLakeRun::create(lake(), key);
    EXPECT_TRUE(run);
    std::ofstream(run->file(fleet_tables().front())) << text;
    EXPECT_TRUE(run->commit());
    return run->place();
  }
  std::string lake() const { return top_ + "/lake"; }
  std::string text_at(const std::string& place) const {
    std::ifstream file(lake() + "/" + place + "/" + fleet_tables().front().name + kTableEnding);
    std::string text;
    std::getline(file, text);
    return text;
  }

  std::string top_;
};

TEST_F(Lake, NamesOfHostsAreNamesOfDirectories) {
  EXPECT_EQ(put({"a/../b \xff=%", "2026-11-30", "r"}, "x"),
            "host=a%2F..%2Fb%20%FF%3D%25/date=2026-11-30/run=r");
  EXPECT_EQ(std::distance(fs::directory_iterator(lake()), {}), 1);
}

TEST_F(Lake, ASecondExportReplacesTheFirst) {
  const RunKey key{"h", "2026-11-30", "r"};
  const std::string place = put(key, "first");
  const auto before = runs_of_lake(lake());
  ASSERT_TRUE(before);
  EXPECT_EQ(put(key, "second"), place);
  EXPECT_EQ(text_at(place), "second");
  const auto after = runs_of_lake(lake());
  ASSERT_TRUE(after);
  ASSERT_EQ(after->size(), 1U);
  EXPECT_EQ(after->front().place, place);
  EXPECT_NE(after->front().version, before->front().version);
  EXPECT_EQ(std::distance(fs::directory_iterator(lake()), {}), 1) << "the first one is removed";
}

TEST_F(Lake, WhatIsNotCommittedIsRemoved) {
  {
    auto run = NewLakeRun::create(lake(), {"h", "2026-11-30", "r"});
    ASSERT_TRUE(run);
    std::ofstream(run->file(fleet_tables().front())) << "half";
    EXPECT_TRUE(runs_of_lake(lake())->empty());
  }
  EXPECT_TRUE(fs::is_empty(lake()));
}

TEST_F(Lake, OtherFilesAreNoRuns) {
  put({"b", "2026-11-30", "r"}, "x");
  put({"a", "2026-11-30", "r"}, "x");
  fs::create_directories(lake() + "/host=a/date=2026-11-30/other");
  fs::create_directories(lake() + "/lost+found");
  std::ofstream(lake() + "/host=file") << "";
  const auto runs = runs_of_lake(lake());
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 2U);
  EXPECT_EQ(runs->front().place, "host=a/date=2026-11-30/run=r");
  EXPECT_FALSE(runs_of_lake(top_ + "/nowhere"));
  EXPECT_FALSE(runs_of_lake(lake() + "/host=file"));
}

TEST(Uuid, IsThatOfItsText) {
  const std::string uuid = uuid_of("one");
  EXPECT_EQ(uuid, uuid_of("one"));
  EXPECT_NE(uuid, uuid_of("two"));
  EXPECT_TRUE(std::regex_match(
      uuid, std::regex("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")))
      << uuid;
}

TEST(UtcDate, IsTheDayInGreenwich) {
  EXPECT_EQ(utc_date(0), "1970-01-01");
  EXPECT_EQ(utc_date(1796062359'640638889), "2026-11-30");
}

}  // namespace
}  // namespace umaskaudit::fleet

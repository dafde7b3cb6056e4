// Filters, the one-pass summary, and the story of one object.
#include "reporter/analysis/summary.h"

#include <gtest/gtest.h>

#include "reporter/analysis/object_history.h"
#include "tests/unit/reader/run_helpers.h"
#include "tests/unit/render/fixture_run.h"

namespace umaskaudit::analysis {
namespace {

using testing::open_or_die;
using testing::ReadRun;
using testing::RunDirectory;
using testing::SegmentBuilder;

class Fixture : public ::testing::Test {
 protected:
  Fixture() : run_((write_fixture_run(directory_), open_or_die(directory_.path()))) {}

  Summary with(const Filter& filter) {
    SummaryOptions options;
    options.filter = filter;
    return summarize(run_, options);
  }

  RunDirectory directory_;
  ReadRun run_;
};

TEST_F(Fixture, CountsEverythingOnce) {
  const Summary all = with({});
  EXPECT_EQ(all.mask_changes, 5u);
  EXPECT_EQ(all.created, 5u);
  EXPECT_EQ(all.existing, 1u);
  EXPECT_EQ(all.failed, 1u);
  EXPECT_EQ(all.ambiguous, 1u);
  EXPECT_EQ(all.chmods, 1u);
  EXPECT_EQ(all.threads, 3u);
  EXPECT_EQ(all.notes, std::vector<std::string>{"phase two\x07"});
  EXPECT_EQ(all.kinds.at(trace::Kind::dir), 1u);
}

TEST_F(Fixture, MeasuresHowLongAMaskStood) {
  const Summary all = with({});
  ASSERT_EQ(all.changes.size(), 1u);
  const MaskChanges& changes = all.changes[0];
  EXPECT_EQ(changes.who.tid, 101u);
  EXPECT_EQ(changes.count, 5u);
  EXPECT_EQ(changes.drifts, 1u);
  EXPECT_EQ((changes.transitions.at({022, 0})), 2u);
  // From 2 ms to the end at 17 ms somebody's mask was in force; the longest from 7 to 12 ms, or
  // from 12 ms to the end.
  EXPECT_EQ(changes.held_ns, 15000000u);
  EXPECT_EQ(changes.longest_ns, 5000000u);
}

TEST_F(Fixture, FiltersChooseEvents) {
  Filter filter;
  filter.paths = {"*hit*"};
  EXPECT_EQ(with(filter).objects.size(), 2u);
  EXPECT_EQ(with(filter).mask_changes, 0u) << "a mask change has no path";
  filter.kinds = {"dir"};
  EXPECT_EQ(with(filter).objects.size(), 1u);
  Filter thread;
  thread.threads = {"togg*"};
  EXPECT_EQ(with(thread).mask_changes, 5u);
  EXPECT_EQ(with(thread).objects.size(), 0u);
  Filter pid;
  pid.pids = {999};
  EXPECT_EQ(with(pid).mask_changes, 0u);
  EXPECT_EQ(with(pid).blind_spots.size(), with({}).blind_spots.size()) << "never left out";
  Filter since;
  since.since_ns = run_.begin_ns() + 6000000;
  EXPECT_EQ(with(since).mask_changes, 3u);
  Filter call;
  call.calls = {"mkdir"};
  EXPECT_EQ(with(call).objects.size(), 1u);
}

TEST_F(Fixture, ALimitKeepsTheFirstInOrder) {
  const auto paths = [&](SortKey key, std::size_t limit) {
    SummaryOptions options;
    options.sort = key;
    options.limit = limit;
    std::vector<std::string> out;
    for (const ObjectLife& life : summarize(run_, options).objects) out.push_back(life.last_path);
    return out;
  };
  for (const SortKey key :
       {SortKey::time, SortKey::path, SortKey::mode, SortKey::mask, SortKey::thread}) {
    const auto all = paths(key, 0);
    ASSERT_EQ(all.size(), 5u);
    for (std::size_t limit = 1; limit < 5; ++limit)
      EXPECT_EQ(paths(key, limit), std::vector<std::string>(all.begin(), all.begin() + limit));
  }
  EXPECT_EQ(paths(SortKey::mode, 1)[0], "/srv/hit dir") << "0777 is the widest";
}

TEST_F(Fixture, AnObjectIsFoundUnderItsLaterName) {
  const auto stories = object_histories(run_, {"/srv/final"});
  ASSERT_EQ(stories.size(), 1u);
  ASSERT_TRUE(stories[0].creation);
  EXPECT_EQ(stories[0].creation->path, "/srv/hit");
  EXPECT_EQ(stories[0].path, "/srv/final");
  ASSERT_EQ(stories[0].afterwards.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<ChmodEvent>(stories[0].afterwards[0]));
  ASSERT_TRUE(stories[0].setter);
  EXPECT_EQ(stories[0].setter->new_mask, 0u);
  EXPECT_TRUE(object_histories(run_, {"/srv/nothing"}).empty());
}

TEST(ObjectHistory, AnInodeUsedAgainIsAnotherObject) {
  RunDirectory directory;
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  trace::Create first = testing::creation(1, 0, 022);
  segment.create({100, 2000}, first, "/a");
  segment.create({100, 3000}, first, "/b");
  trace::Chmod chmod{};
  chmod.context = 1;
  chmod.final_mode = 0100600;
  chmod.dev = chmod.ino = 1;
  chmod.call = 5;
  segment.chmod({100, 4000}, chmod, "/b");
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  const auto a = object_histories(run, {"/a"});
  ASSERT_EQ(a.size(), 1u);
  EXPECT_TRUE(a[0].afterwards.empty()) << "the chmod met /b";
  ASSERT_EQ(object_histories(run, {"/b"}).size(), 1u);
  EXPECT_EQ(object_histories(run, {"/b"})[0].afterwards.size(), 1u);
}

TEST(Duration, HasUnits) {
  EXPECT_EQ(*parse_duration("2"), 2000000000u);
  EXPECT_EQ(*parse_duration("1.5s"), 1500000000u);
  EXPECT_EQ(*parse_duration("200ms"), 200000000u);
  EXPECT_EQ(*parse_duration("3m"), 180000000000u);
  for (const char* bad : {"", "s", "-1s", "1x", "nan", "1e300", "1 s"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

}  // namespace
}  // namespace umaskaudit::analysis

// Merged order: by time over all segments, by the changes' own numbers inside one fs context.
#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::reader {
namespace {

using testing::creation;
using testing::events_of;
using testing::mask_change;
using testing::only;
using testing::open_or_die;
using testing::ReadRun;
using testing::RunDirectory;
using testing::SegmentBuilder;

std::vector<std::uint64_t> times_of(const Run& run) {
  std::vector<std::uint64_t> times;
  for (const Event& event : events_of(run)) times.push_back(testing::base(event).time_ns);
  return times;
}

TEST(Order, TwoHundredSegments) {
  const RunDirectory directory;
  std::mt19937_64 random(42);
  std::size_t notes = 0;
  for (std::uint32_t pid = 1000; pid < 1200; ++pid) {
    SegmentBuilder segment(pid, 1000 + random() % 1000000);
    begin_image(&segment, "app");
    std::uint64_t time = segment.header().mono_ns;
    for (int i = 0; i < 50; ++i, ++notes) segment.note({pid, time += random() % 20000}, 0, "n");
    directory.add(segment);
  }
  const ReadRun run = open_or_die(directory.path());
  const std::vector<std::uint64_t> times = times_of(run);
  EXPECT_EQ(times.size(), notes + 200);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
  EXPECT_EQ(run.processes().size(), 200u);
  EXPECT_EQ(run.completeness().segments, 200u);
}

// Several threads reserve space a little out of time order.
TEST(Order, RecordsOutOfOrderInTheFileAreMended) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  std::mt19937_64 random(7);
  std::size_t notes = 0;
  for (std::uint64_t i = 0; i < 40000; ++i, ++notes) {
    segment.note({100, 100000 + i * 100 + random() % 20000}, 0, "some text that takes room");
  }
  ASSERT_GT(segment.size(), 2u << 20) << "more than one buffer";
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  const std::vector<std::uint64_t> times = times_of(run);
  EXPECT_EQ(times.size(), notes + 1);
  EXPECT_TRUE(std::is_sorted(times.begin(), times.end()));
}

TEST(Order, NoEventIsLostWhenTimesMakeNoSense) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  std::mt19937_64 random(7);
  std::size_t notes = 0;
  for (; segment.size() < 3u << 20; ++notes) {
    segment.note({100, random()}, 0, std::string(random() % 3000, 'x'));
  }
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(only<NoteEvent>(run).size(), notes);
}

TEST(Order, RecordsOfAnySizeFitTheBuffer) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  const std::size_t most = trace::kMaxRecord - sizeof(trace::RecordHeader) - sizeof(trace::Note);
  for (std::uint64_t i = 0; i < 60; ++i) {
    segment.note({100, 2000 + i}, 0, std::string(i % 3 == 0 ? most : i * 700, 'x'));
  }
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  const auto notes = only<NoteEvent>(run);
  ASSERT_EQ(notes.size(), 60u);
  EXPECT_EQ(notes[57].text.size(), most);
}

TEST(Order, EqualTimesKeepTheFilesOrder) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  for (const char* text : {"a", "b", "c"}) segment.note({100, 2000}, 0, text);
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  std::string order;
  for (const NoteEvent& note : only<NoteEvent>(run)) order += note.text;
  EXPECT_EQ(order, "abc");
}

// The clock is read after the lock is released: change 2 may carry an earlier time than change 1.
TEST(Order, MaskChangesFollowTheirNumbersNotTheClock) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.umask({102, 2000}, mask_change(1, 2, 0, 077));
  segment.umask({101, 2500}, mask_change(1, 1, 022, 0));
  segment.umask({102, 2400}, mask_change(1, 3, 077, 027));
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  const auto changes = only<UmaskEvent>(run);
  ASSERT_EQ(changes.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(changes[i].change, i + 1);
    EXPECT_EQ(changes[i].id, i + 1);
    if (i > 0) {
      EXPECT_GT(changes[i].time_ns, changes[i - 1].time_ns);
    }
  }
}

// What the snapshots say about a creation counts more than when its thread got to the clock.
TEST(Order, CreationsStandBetweenTheChangesTheySaw) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.umask({101, 2000}, mask_change(1, 1, 022, 0));
  segment.create({102, 1900}, creation(1, 1, 0), "early clock");
  segment.umask({101, 3000}, mask_change(1, 2, 0, 022));
  segment.create({102, 3500}, creation(1, 1, 0), "late clock");
  segment.create({102, 3501}, creation(1, 2, 022), "after");
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  std::string order;
  run.for_each([&](const Event& event) {
    if (const auto* change = std::get_if<UmaskEvent>(&event)) {
      order += "[" + std::to_string(change->id) + "]";
    } else if (const auto* create = std::get_if<CreateEvent>(&event)) {
      order += "(" + std::string(create->path_arg) + ")";
    }
    return true;
  });
  EXPECT_EQ(order, "[1](early clock)(late clock)[2](after)");
}

// Each mask change in its order, and each creation behind the change it names.
void expect_order_of_changes(const Run& run, std::size_t changes, std::size_t creations) {
  std::uint64_t change = 0;
  std::uint64_t time = 0;
  std::size_t created = 0;
  run.for_each([&](const Event& event) {
    if (const auto* umask = std::get_if<UmaskEvent>(&event)) {
      EXPECT_EQ(umask->change, ++change);
      EXPECT_EQ(umask->id, change);
    } else if (const auto* create = std::get_if<CreateEvent>(&event)) {
      ++created;
      EXPECT_EQ(create->change_after, change);
      EXPECT_EQ(create->mask_set_by, change);
    }
    EXPECT_GE(testing::base(event).time_ns, time);
    time = testing::base(event).time_ns;
    return !::testing::Test::HasFailure();
  });
  EXPECT_EQ(change, changes);
  EXPECT_EQ(created, creations);
}

// A thread loses its processor between its look at the clock and its record: a hundred thousand
// others write theirs in between, more than any buffer holds.
TEST(Order, ARecordFarBehindItsTimeIsFetched) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  constexpr std::uint64_t kChanges = 100000;
  for (std::uint64_t change = 1; change <= kChanges; ++change) {
    if (change == 500 || change == 70000) continue;
    segment.umask({100, 10000 + change * 10}, mask_change(1, change, 022, 022));
    if (change % 1000 == 7)
      segment.create({102, 10005 + change * 10}, creation(1, change, 022), "f");
  }
  segment.create({103, 10000 + 300 * 10 + 5}, creation(1, 300, 022), "late");
  segment.umask({101, 10000 + 500 * 10}, mask_change(1, 500, 022, 022));
  segment.umask({104, 10000 + 70000 * 10}, mask_change(1, 70000, 022, 022));
  const RunDirectory directory;
  directory.add(segment);
  expect_order_of_changes(open_or_die(directory.path()), kChanges, 101);
}

// Or between the call and its look at the clock: then even its time says that it came later.
TEST(Order, ARecordWithAClockFarTooLateIsPutInItsPlace) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  constexpr std::uint64_t kChanges = 100000;
  for (std::uint64_t change = 1; change <= kChanges; ++change) {
    if (change == 500 || change == 99999) continue;
    segment.umask({100, 10000 + change * 10}, mask_change(1, change, 022, 022));
    if (change % 1000 == 7)
      segment.create({102, 10005 + change * 10}, creation(1, change, 022), "f");
  }
  segment.umask({101, 10000 + kChanges * 10 + 1}, mask_change(1, 500, 022, 022));
  segment.create({103, 10000 + kChanges * 10 + 2}, creation(1, 300, 022), "late");
  segment.umask({104, 10000 + kChanges * 10 + 3}, mask_change(1, 99999, 022, 022));
  const RunDirectory directory;
  directory.add(segment);
  expect_order_of_changes(open_or_die(directory.path()), kChanges, 101);
}

TEST(Order, AnyRecordFarBehindItsTimeIsFetched) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  for (std::uint64_t i = 0; i < 30000; ++i) segment.note({100, 2000 + i}, 0, "in time");
  segment.note({101, 2000}, 0, "late");
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  const auto notes = only<NoteEvent>(run);
  ASSERT_EQ(notes.size(), 30001u);
  EXPECT_EQ(notes[1].text, "late");
}

// The change's own record has a late clock, and so has the creation that saw a later change.
TEST(Order, ACreationIsNeverBeforeTheChangeItSaw) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.umask({100, 2500}, mask_change(1, 1, 022, 0));
  segment.umask({100, 2600}, mask_change(1, 2, 0, 022));
  segment.create({101, 3000}, creation(1, 2, 022), "f");
  segment.create({102, 2400}, creation(1, 1, 0), "g");
  const RunDirectory directory;
  directory.add(segment);
  expect_order_of_changes(open_or_die(directory.path()), 2, 2);
}

// No change follows the late one: that it was in force is known from the creations that saw it.
TEST(Order, CreationsTellWhenALateChangeWasMade) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.umask({100, 2000}, mask_change(1, 1, 022, 0));
  for (std::uint64_t i = 0; i < 30000; ++i) {
    segment.create({102, 10000 + i * 10}, creation(1, i < 10 ? 1 : 2, 0), "f");
  }
  segment.umask({101, 900000}, mask_change(1, 2, 0, 0));
  const RunDirectory directory;
  directory.add(segment);
  expect_order_of_changes(open_or_die(directory.path()), 2, 30000);
}

TEST(Order, UmaskIdsAscendOverAllSegments) {
  const RunDirectory directory;
  std::mt19937_64 random(1);
  for (std::uint32_t pid = 100; pid < 120; ++pid) {
    SegmentBuilder segment(pid, 1000 + pid);
    begin_image(&segment, "app");
    std::uint64_t time = 5000;
    for (std::uint64_t change = 1; change <= 100; ++change) {
      segment.umask({pid, time += random() % 100}, mask_change(1, change, 022, 022));
    }
    directory.add(segment);
  }
  const ReadRun run = open_or_die(directory.path());
  const auto changes = only<UmaskEvent>(run);
  ASSERT_EQ(changes.size(), 2000u);
  for (std::size_t i = 0; i < changes.size(); ++i) ASSERT_EQ(changes[i].id, i + 1);
}

}  // namespace
}  // namespace umaskaudit::reader

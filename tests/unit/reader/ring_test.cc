// keep=latest: chunks that are used again. Events are read in order, dropped ones are
// counted, and nothing of it is taken for damage, loss or a mask that was inherited.
#include <fcntl.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <random>

#include "reporter/reader/live_run.h"
#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using trace::ChunkUse;

constexpr std::uint64_t kEndOfFour = trace::kFirstChunk + 3 * trace::kChunk;

// A segment of four chunks, the first of them begun, with the control regions behind.
SegmentBuilder ring_segment(std::uint64_t control = kEndOfFour) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.add_ring(control, 4);
  return segment;
}

// What a Run walks over must be there as long as it.
ReadRun read(const SegmentBuilder& segment) {
  static std::vector<std::unique_ptr<RunDirectory>> directories;
  directories.push_back(std::make_unique<RunDirectory>());
  directories.back()->add(segment);
  return open_or_die(directories.back()->path());
}

std::vector<std::string> notes_of(const ReadRun& run) {
  std::vector<std::string> texts;
  for (const NoteEvent& note : only<NoteEvent>(run)) texts.emplace_back(note.text);
  return texts;
}

// Where the control regions are is the writer's choice.
class Ring : public ::testing::TestWithParam<std::uint64_t> {
 protected:
  // The next record is the first one of that chunk, behind a region that it begins with.
  void take_chunk(std::uint32_t chunk, ChunkUse use) {
    segment_.take_chunk(chunk, use);
    const std::uint64_t begin = trace::kFirstChunk + (chunk - 1) * trace::kChunk;
    const std::uint64_t behind = GetParam() + 2 * trace::kControl;
    if (GetParam() <= begin && behind > begin) segment_.seek(behind);
  }
  SegmentBuilder segment_ = ring_segment(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Controls, Ring,
                         ::testing::Values(kEndOfFour, 32 << 10, trace::kFirstChunk,
                                           trace::kFirstChunk + trace::kChunk - trace::kControl));

TEST_P(Ring, ChunksAreReadByUseInTheOrderOfTheirTurns) {
  segment_.note({100, 2000}, 0, "first");
  take_chunk(2, ChunkUse::events);
  segment_.note({100, 3000}, 0, "second");
  segment_.note({100, 5000}, 0, "fourth");
  take_chunk(3, ChunkUse::changes);
  segment_.umask({100, 4000}, mask_change(1, 1, 022, 077));
  take_chunk(1, ChunkUse::events);
  segment_.note({100, 6000}, 0, "fifth");
  const ReadRun run = read(segment_);
  EXPECT_THAT(notes_of(run), ElementsAre("first", "second", "fourth", "fifth"));
  const std::vector<Event> events = events_of(run);
  EXPECT_TRUE(std::is_sorted(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return base(a).time_ns < base(b).time_ns;
  }));
  EXPECT_EQ(only<UmaskEvent>(events).size(), 1u);
  EXPECT_THAT(run.completeness().losses, IsEmpty());
  EXPECT_EQ(run.completeness().damaged_bytes, 0u);
  EXPECT_FALSE(run.dropped().any());
}

TEST(RingChunks, EmptyAndUnusedOnesAreNotRead) {
  SegmentBuilder segment = ring_segment();
  segment.take_chunk(1, ChunkUse::empty);
  segment.note({100, 2000}, 0, "empty");
  segment.take_chunk(2, ChunkUse::none);
  segment.note({100, 3000}, 0, "none");
  segment.take_chunk(3, ChunkUse::events);
  segment.note({100, 4000}, 0, "there");
  const ReadRun run = read(segment);
  EXPECT_THAT(notes_of(run), ElementsAre("there"));
  EXPECT_THAT(run.completeness().losses, IsEmpty());
}

TEST(RingChunks, OneThatIsBeingDroppedBeginsBehindWhatTheTotalsHave) {
  SegmentBuilder segment = ring_segment();
  segment.take_chunk(1, ChunkUse::dropping);
  const std::uint64_t begin = segment.note({100, 2000}, 0, "counted");
  const std::uint64_t next = segment.note({100, 3000}, 0, "there");
  segment.entry(1).dropped = static_cast<std::uint32_t>(next - begin);
  const ReadRun run = read(segment);
  EXPECT_THAT(notes_of(run), ElementsAre("there"));
  EXPECT_THAT(run.completeness().losses, IsEmpty());
}

TEST(RingChunks, ThoseOfOneUseAreAStreamHoweverFarBehindARecordLies) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  constexpr std::uint32_t kChunks = 9;
  segment.add_ring(trace::kFirstChunk + (kChunks - 1) * trace::kChunk, kChunks);
  std::mt19937_64 random(3);
  std::vector<std::uint32_t> order = {4, 8, 1, 6, 2, 7, 3, 5};
  std::uint64_t time = 10000;
  std::size_t notes = 0;
  std::uint64_t change = 0;
  for (const std::uint32_t chunk : order) {
    const bool changes = chunk % 3 == 0;
    segment.take_chunk(chunk, changes ? ChunkUse::changes : ChunkUse::events);
    const std::uint64_t end = trace::kFirstChunk + chunk * trace::kChunk - 2000;
    for (std::uint64_t at = 0; at < end; time += 10) {
      if (changes) {
        ++change;
        at = segment.umask({100, time}, mask_change(1, change, 022, 022));
      } else {
        // Now and then one whose writer did not run for long.
        const std::uint64_t late = random() % 200 == 0 ? 9000 : 0;
        at = segment.note({100, time - late}, 0, std::string(random() % 900, 'n'));
        ++notes;
      }
    }
  }
  const ReadRun run = read(segment);
  const std::vector<Event> events = events_of(run);
  EXPECT_EQ(only<NoteEvent>(events).size(), notes);
  EXPECT_EQ(only<UmaskEvent>(events).size(), change);
  EXPECT_TRUE(std::is_sorted(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return base(a).time_ns < base(b).time_ns;
  }));
}

// A creation that its clock puts behind a change which it came before: the chunks of the changes
// are others than those of the creations.
TEST(RingChunks, ACreationComesBetweenTheChangesThatItSaw) {
  SegmentBuilder segment = ring_segment();
  segment.take_chunk(1, ChunkUse::events);
  segment.create({100, 9000}, creation(1, 1, 077), "/a");
  for (std::uint64_t i = 0; i < 2500; ++i) segment.note({100, 5100 + i}, 0, std::string(60, 'n'));
  segment.create({100, 9100}, creation(1, 1, 077), "/b");
  segment.take_chunk(2, ChunkUse::changes);
  segment.umask({100, 5000}, mask_change(1, 1, 022, 077));
  segment.umask({100, 6000}, mask_change(1, 2, 077, 022));
  const ReadRun run = read(segment);
  std::uint64_t last = 0;
  std::vector<std::string> told;
  for (const Event& event : events_of(run)) {
    EXPECT_GE(base(event).time_ns, last);
    last = base(event).time_ns;
    if (const auto* umask = std::get_if<UmaskEvent>(&event))
      told.push_back("umask " + std::to_string(umask->id));
    if (const auto* create = std::get_if<CreateEvent>(&event)) told.push_back(create->path);
  }
  EXPECT_THAT(told, ElementsAre("umask 1", "/a", "/b", "umask 2"));
}

TEST(RingChunks, ExecsAndBirthsAreFoundWhereChunksAreOutOfOrder) {
  SegmentBuilder segment = ring_segment();
  trace::Exec exec{};
  exec.context = 1;
  exec.call = 3;
  segment.take_chunk(3, ChunkUse::kept);
  segment.exec({100, 2000}, exec, "/first");
  segment.exec_failed({100, 2001}, 2);
  segment.thread_create({100, 2002}, {7, 0, 0, 0});
  segment.take_chunk(1, ChunkUse::kept);
  segment.exec({100, 3000}, exec, "/second");
  segment.exec_failed({100, 3001}, 13);
  segment.thread({101, 3002}, {101, 1, 7, {}}, "born");
  const ReadRun run = read(segment);
  const auto execs = only<ExecEvent>(run);
  ASSERT_EQ(execs.size(), 2u);
  EXPECT_EQ(execs[0].path, "/first");
  EXPECT_EQ(execs[0].error, 2);
  EXPECT_EQ(execs[1].path, "/second");
  EXPECT_EQ(execs[1].error, 13);
  const auto births = only<ThreadCreateEvent>(run);
  ASSERT_EQ(births.size(), 1u);
  EXPECT_EQ(births[0].created_tid, 101u);
}

trace::Total total_of(trace::RecordType type, std::uint64_t count) {
  trace::Total total{};
  total.key = 1;
  total.type = static_cast<std::uint16_t>(type);
  total.count = count;
  total.first_ns = 1100;
  total.last_ns = 1900;
  return total;
}

// A segment whose changes 1 to 4 were dropped.
SegmentBuilder dropped_segment() {
  SegmentBuilder segment = ring_segment();
  segment.ring().dropped = 5;
  segment.ring().whole_since_ns = 1950;
  trace::Total change = total_of(trace::RecordType::umask, 4);
  change.call = 2;
  change.mask = 022;
  change.mode = 077;
  change.stack = 9;
  segment.total(change);
  trace::Total made = total_of(trace::RecordType::create, 1);
  made.call = 1;
  made.kind = static_cast<std::uint8_t>(trace::Kind::dir);
  made.created = static_cast<std::uint8_t>(trace::Created::yes);
  made.mode = 040700;
  made.mask = 077;
  made.requested = 0777;
  segment.total(made);
  segment.take_chunk(2, ChunkUse::changes);
  return segment;
}

TEST(Dropped, IsToldFromTheTotals) {
  const ReadRun run = read(dropped_segment());
  const Dropped& dropped = run.dropped();
  EXPECT_TRUE(dropped.any());
  EXPECT_EQ(dropped.whole_since_ns, 1950u);
  EXPECT_EQ(dropped.count(), 5u);
  ASSERT_EQ(dropped.events.size(), 2u);
  const DroppedEvents& change = dropped.events[0];
  EXPECT_EQ(change.type, trace::RecordType::umask);
  EXPECT_EQ(change.call, "umask");
  EXPECT_EQ(change.count, 4u);
  EXPECT_EQ(change.mask, Mode{022});
  EXPECT_EQ(change.mode, Mode{077});
  EXPECT_EQ(change.stack.id, 9u);
  const DroppedEvents& made = dropped.events[1];
  EXPECT_EQ(made.call, "mkdir");
  EXPECT_EQ(made.kind, trace::Kind::dir);
  EXPECT_EQ(made.mode, Mode{0700});
  EXPECT_EQ(made.mask, Mode{077});
  EXPECT_EQ(made.created, trace::Created::yes);
  EXPECT_THAT(run.completeness().losses, IsEmpty());
  EXPECT_EQ(run.completeness().total_lost(), 0u);
}

TEST(Dropped, TheMaskOfACreationIsKnownAndItsSetterNeitherInheritedNorInvented) {
  SegmentBuilder segment = dropped_segment();
  segment.umask({100, 4000}, mask_change(1, 5, 077, 027));
  segment.take_chunk(1, ChunkUse::events);
  segment.create({100, 3000}, creation(1, 4, 077), "/early");
  segment.create({100, 5000}, creation(1, 5, 027), "/late");
  const ReadRun run = read(segment);
  const auto creations = only<CreateEvent>(run);
  ASSERT_EQ(creations.size(), 2u);
  EXPECT_EQ(creations[0].mask, Mode{077});
  EXPECT_EQ(creations[0].mask_set_by, std::nullopt);
  EXPECT_TRUE(creations[0].mask_setter_dropped);
  EXPECT_EQ(creations[1].mask_set_by, 1u);
  EXPECT_FALSE(creations[1].mask_setter_dropped);
  const auto changes = only<UmaskEvent>(run);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].old_set_by, std::nullopt);
  EXPECT_TRUE(changes[0].old_setter_dropped);
  EXPECT_FALSE(changes[0].drift);
}

TEST(Dropped, AMaskFromBirthIsInheritedStill) {
  SegmentBuilder segment = dropped_segment();
  segment.create({100, 1050}, creation(1, 0, 022), "/first");
  const ReadRun run = read(segment);
  const auto creations = only<CreateEvent>(run);
  ASSERT_EQ(creations.size(), 1u);
  EXPECT_EQ(creations[0].mask_set_by, std::nullopt);
  EXPECT_FALSE(creations[0].mask_setter_dropped);
}

// Neither the last change that is there nor the mask at birth of the image before it.
TEST(Dropped, AnExecHandsOnThatTheSetterWasDropped) {
  const RunDirectory directory;
  SegmentBuilder first = dropped_segment();
  first.seek(first.header().header_length + 4096);
  first.umask({100, 1060}, mask_change(1, 1, 022, 002));
  trace::Exec exec{};
  exec.context = 1;
  exec.change = 4;
  exec.call = 3;
  first.exec({100, 2000}, exec, "/next");
  directory.add(first);
  SegmentBuilder next(100, 3000);
  begin_image(&next, "next");
  next.create({100, 3100}, creation(1, 0, 077), "/made");
  directory.add(next);
  const ReadRun run = open_or_die(directory.path());
  const auto creations = only<CreateEvent>(run);
  ASSERT_EQ(creations.size(), 1u);
  EXPECT_EQ(creations[0].mask_set_by, std::nullopt);
  EXPECT_TRUE(creations[0].mask_setter_dropped);
}

TEST(Dropped, AChildOfAForkHandsItOnToo) {
  SegmentBuilder segment = dropped_segment();
  segment.take_chunk(1, ChunkUse::kept);
  trace::Process child{};
  child.pid = 200;
  child.ppid = 100;
  child.origin = static_cast<std::uint8_t>(trace::Origin::fork);
  child.mask = 077;
  child.mask_source = 2;
  child.context = 2;
  child.parent_context = 1;
  child.parent_change = 4;
  segment.process({200, 3000, 0, 200}, child, "/app", "app");
  segment.create({200, 3100, 0, 200}, creation(2, 0, 077), "/made");
  const ReadRun run = read(segment);
  const auto creations = only<CreateEvent>(run);
  ASSERT_EQ(creations.size(), 1u);
  EXPECT_EQ(creations[0].mask, Mode{077});
  EXPECT_TRUE(creations[0].mask_setter_dropped);
}

TEST(Dropped, FoldsBeginLate) {
  SegmentBuilder segment = dropped_segment();
  trace::Fold fold{};
  fold.begin.context = 1;
  fold.begin.sites[0] = {0, 022, 077, 022, 2, 0};
  fold.begin.sites[1] = {0, 077, 022, 077, 2, 0};
  fold.begin.first = 11;
  fold.begin.first_ns = 3000;
  fold.state = {20, 3010, {3090, 3080, 3070}, {40, 50}, {10, 10}, {10, 10}};
  std::string payload(reinterpret_cast<const char*>(&fold), sizeof fold);
  segment.record(static_cast<std::uint16_t>(trace::RecordType::fold), {100, 3090}, payload);
  const ReadRun run = read(segment);
  const auto changes = only<UmaskEvent>(run);
  ASSERT_EQ(changes.size(), 10u);
  EXPECT_EQ(changes[0].change, 11u);
  EXPECT_TRUE(changes[0].old_setter_dropped);
  for (std::size_t i = 1; i < changes.size(); ++i) {
    EXPECT_EQ(changes[i].old_set_by, changes[i - 1].id);
    EXPECT_FALSE(changes[i].old_setter_dropped);
  }
}

TEST(Dropped, WholeSegmentsAreSaidByTheStateOfTheRun) {
  const RunDirectory directory;
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.create({100, 1100}, creation(1, 0, 022), "/made");
  directory.add(segment);
  trace::RunState state{};
  std::memcpy(state.magic, trace::kMagic, sizeof state.magic);
  state.major = trace::kMajor;
  state.minor = trace::kMinor;
  state.byte_order = trace::kByteOrder;
  state.images = state.segments = 4;
  state.dropped_segments = 3;
  state.dropped_records = 1000;
  state.dropped_changes = 10;
  state.dropped_created[1] = 500;
  state.dropped_created[15] = 1;
  state.dropped_whole_since_ns = 900;
  directory.write(trace::kRunStateName, {reinterpret_cast<const char*>(&state), sizeof state});
  const ReadRun run = open_or_die(directory.path());
  const Dropped& dropped = run.dropped();
  EXPECT_EQ(dropped.segments, 3u);
  EXPECT_EQ(dropped.segment_records, 1000u);
  EXPECT_EQ(dropped.segment_changes, 10u);
  EXPECT_EQ(dropped.whole_since_ns, 900u);
  EXPECT_EQ(dropped.segment_objects.at(trace::Kind::file), 500u);
  EXPECT_THAT(run.completeness().losses, IsEmpty());
  // What began it may have been among them.
  EXPECT_TRUE(only<CreateEvent>(run).front().mask_setter_dropped);

  // A program that one of them was of is not called unseen; one that began later is.
  trace::Exec exec{};
  exec.context = 1;
  exec.call = 3;
  for (const std::uint64_t time : {1600u, 1700u, 1800u, 1899u, 1901u})
    segment.exec({100 + static_cast<std::uint32_t>(time), time}, exec, "/" + std::to_string(time));
  directory.add(segment);
  state.dropped_whole_since_ns = 1900;
  directory.write(trace::kRunStateName, {reinterpret_cast<const char*>(&state), sizeof state});
  const ReadRun later = open_or_die(directory.path());
  std::vector<std::string> unseen;
  for (const BlindSpotEvent& spot : only<BlindSpotEvent>(later)) unseen.emplace_back(spot.text);
  EXPECT_THAT(unseen, ElementsAre("/1899", "/1901"));

  // As version 1.3 wrote it.
  directory.write(trace::kRunStateName, {reinterpret_cast<const char*>(&state), 48});
  const ReadRun old = open_or_die(directory.path());
  EXPECT_FALSE(old.dropped().any());
  ASSERT_EQ(old.completeness().losses.size(), 1u);
  EXPECT_EQ(old.completeness().losses[0].reason, "segments-missing");
}

// Without a ring: more mask changes than their part of a segment holds.
TEST(Dropped, TotalsOfASegmentWithoutARingAreNoDamage) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.add_totals(trace::kFirstChunk);
  segment.total(total_of(trace::RecordType::umask, 70));
  segment.seek(trace::kFirstChunk + trace::kControl);
  segment.note({100, 3000}, 0, "behind");
  const ReadRun run = read(segment);
  EXPECT_THAT(notes_of(run), ElementsAre("behind"));
  EXPECT_EQ(run.dropped().count(), 70u);
  EXPECT_EQ(run.dropped().whole_since_ns, 0u);
  EXPECT_EQ(run.completeness().damaged_bytes, 0u);
  EXPECT_THAT(run.completeness().losses, IsEmpty());
}

// Nothing of the file is trusted.
void expect_still_read(const std::function<void(SegmentBuilder&)>& break_it, bool told) {
  SegmentBuilder segment = ring_segment();
  segment.take_chunk(1, ChunkUse::events);
  segment.note({100, 2000}, 0, "there");
  break_it(segment);
  const ReadRun run = read(segment);
  EXPECT_THAT(notes_of(run), ElementsAre("there"));
  const auto& losses = run.completeness().losses;
  const bool damaged = std::any_of(losses.begin(), losses.end(), [](const LossEvent& loss) {
    return loss.reason == "damaged-header";
  });
  EXPECT_EQ(damaged, told);
}

TEST(BrokenRing, CostsOrderAndNoRecords) {
  expect_still_read([](auto& s) { s.header().ring = UINT32_MAX; }, true);
  expect_still_read([](auto& s) { s.header().ring += 4; }, true);
  expect_still_read([](auto& s) { s.header().ring = 8; }, true);
  expect_still_read([](auto& s) { s.header().totals = UINT32_MAX - 7; }, true);
  expect_still_read([](auto& s) { s.header().totals = s.header().ring; }, false);
  expect_still_read([](auto& s) { s.ring().chunks = 0; }, true);
  expect_still_read([](auto& s) { s.ring().chunks = UINT32_MAX; }, true);
  expect_still_read([](auto& s) { s.ring().used = UINT32_MAX; }, true);
  expect_still_read([](auto& s) { s.entry(1).word |= 0xFF; }, false);
  expect_still_read([](auto& s) { s.entry(1).dropped = UINT32_MAX; }, false);
  expect_still_read([](auto& s) { s.entry(1).word = UINT64_MAX; }, false);
  expect_still_read([](auto& s) { s.entry(0).word = UINT64_MAX; }, false);
}

TEST(BrokenRing, AChunkThatSaysToBeDroppedBeyondItsEndHasNothing) {
  SegmentBuilder segment = ring_segment();
  segment.take_chunk(1, ChunkUse::dropping);
  segment.entry(1).dropped = UINT32_MAX;
  segment.note({100, 2000}, 0, "dropped");
  EXPECT_THAT(notes_of(read(segment)), IsEmpty());
}

// The run goes on between the two passes.
TEST(GrowingRing, AChunkThatIsTakenMeanwhileIsDroppedAndNoDamage) {
  SegmentBuilder segment = ring_segment();
  segment.take_chunk(1, ChunkUse::events);
  segment.note({100, 2000}, 0, "old");
  segment.take_chunk(2, ChunkUse::events);
  segment.note({100, 3000}, 0, "there");
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_THAT(notes_of(run), ElementsAre("old", "there"));
  segment.take_chunk(1, ChunkUse::events);
  segment.note({100, 4000}, 0, "new");
  directory.add(segment);
  EXPECT_THAT(notes_of(run), ElementsAre("there"));
  segment.entry(2).word =
      (segment.entry(2).word & ~std::uint64_t{0xFF}) | static_cast<std::uint64_t>(ChunkUse::empty);
  directory.add(segment);
  EXPECT_THAT(notes_of(run), IsEmpty());
}

class FollowedRing : public ::testing::Test {
 protected:
  std::vector<std::string> look(bool last = false) {
    directory_.add(segment_);
    if (!run_) run_ = std::move(*reader::LiveRun::open(directory_.path()));
    std::vector<std::string> texts;
    const auto keep = [&](const Event& event) {
      if (const auto* note = std::get_if<NoteEvent>(&event)) texts.emplace_back(note->text);
      if (const auto* loss = std::get_if<LossEvent>(&event)) texts.push_back("-" + loss->reason);
    };
    if (last) {
      run_->finish(keep);
    } else {
      while (run_->poll(keep)) {
      }
    }
    return texts;
  }

  RunDirectory directory_;
  SegmentBuilder segment_ = ring_segment();
  std::unique_ptr<reader::LiveRun> run_;
};

TEST_F(FollowedRing, TellsEachRecordOnceWhereverItsChunkIs) {
  segment_.note({100, 2000}, 0, "first");
  EXPECT_THAT(look(), ElementsAre("first"));
  segment_.take_chunk(1, ChunkUse::events);
  segment_.note({100, 3000}, 0, "second");
  EXPECT_THAT(look(), ElementsAre("second"));
  segment_.note({100, 4000}, 0, "third");
  segment_.take_chunk(3, ChunkUse::events);
  segment_.note({100, 5000}, 0, "fourth");
  EXPECT_THAT(look(), ElementsAre("third", "fourth"));
  EXPECT_THAT(look(), IsEmpty());
  segment_.take_chunk(1, ChunkUse::events);
  segment_.note({100, 6000}, 0, "fifth");
  EXPECT_THAT(look(), ElementsAre("fifth"));
  segment_.note({100, 7000}, 0, "sixth");
  EXPECT_THAT(look(true), ElementsAre("sixth"));
}

TEST_F(FollowedRing, WhatIsDroppedBeforeItIsReadIsNoLoss) {
  segment_.take_chunk(1, ChunkUse::events);
  segment_.note({100, 3000}, 0, "first");
  look();
  segment_.note({100, 4000}, 0, "second");
  segment_.entry(1).word = (1u << 8) | static_cast<std::uint64_t>(ChunkUse::dropping);
  EXPECT_THAT(look(), ElementsAre("second")) << "it is there still";
  segment_.note({100, 5000}, 0, "third");
  segment_.entry(1).word = (1u << 8) | static_cast<std::uint64_t>(ChunkUse::empty);
  EXPECT_THAT(look(true), IsEmpty());
}

}  // namespace
}  // namespace umaskaudit::testing

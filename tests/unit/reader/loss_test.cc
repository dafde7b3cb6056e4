// What could not be kept, read or followed is said, and what is no run at all is one clear error.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::reader {
namespace {

using testing::events_of;
using ::testing::HasSubstr;
using testing::only;
using testing::open_or_die;
using testing::ReadRun;
using testing::RunDirectory;
using testing::SegmentBuilder;

Error error_of(const std::string& path) {
  const Result<ReadRun> run = ReadRun::open(path);
  if (run) ADD_FAILURE() << path << " was opened";
  return run ? Error{} : run.error();
}

SegmentBuilder image(std::uint32_t pid, std::uint64_t stamp) {
  SegmentBuilder segment(pid, stamp);
  begin_image(&segment, "app");
  return segment;
}

TEST(Errors, AMissingRunIsNamedWithTheNextStep) {
  const Error error = error_of("/nowhere/at-all");
  EXPECT_THAT(error.what, HasSubstr("/nowhere/at-all"));
  EXPECT_EQ(error.why, "No such file or directory");
  EXPECT_THAT(error.hint, HasSubstr("umaskaudit run -o"));
  EXPECT_EQ(error.code, ExitCode::unreadable);
}

TEST(Errors, AnEmptyDirectoryIsNoRun) {
  const RunDirectory directory;
  EXPECT_THAT(error_of(directory.path()).why, HasSubstr("no segment"));
  directory.write("notes.txt", "hello");
  EXPECT_THAT(error_of(directory.path()).why, HasSubstr("no segment"));
}

TEST(Errors, AFileThatIsNoSegmentIsRefused) {
  const RunDirectory directory;
  directory.write("1-1.seg", std::string(100000, 'x'));
  EXPECT_THAT(error_of(directory.path()).what, HasSubstr("not a run"));
  EXPECT_THAT(error_of(directory.path() + "/1-1.seg").why, HasSubstr("1-1.seg"));
  directory.write("1-1.seg", "");
  EXPECT_THAT(error_of(directory.path()).what, HasSubstr("not a run"));
}

TEST(Errors, OneSegmentCanBeReadAlone) {
  const RunDirectory directory;
  const SegmentBuilder segment = image(100, 1000);
  directory.add(segment);
  EXPECT_EQ(open_or_die(directory.path() + "/" + segment.name()).processes().size(), 1u);
}

TEST(Errors, ANewerMajorVersionNamesBoth) {
  const RunDirectory directory;
  SegmentBuilder segment = image(100, 1000);
  segment.header().major = 7;
  segment.header().minor = 3;
  directory.add(segment);
  const Error error = error_of(directory.path());
  EXPECT_THAT(error.why, HasSubstr("7.3"));
  EXPECT_THAT(error.why,
              HasSubstr(std::to_string(trace::kMajor) + "." + std::to_string(trace::kMinor)));
  // Beside readable segments it is a loss.
  directory.add(image(200, 2000));
  const ReadRun run = open_or_die(directory.path());
  ASSERT_EQ(run.completeness().losses.size(), 1u);
  EXPECT_EQ(run.completeness().losses[0].reason, "version");
  EXPECT_THAT(run.completeness().losses[0].detail, HasSubstr("7.3"));
  EXPECT_EQ(run.completeness().segments, 2u);
}

TEST(Errors, UnreadableSegmentsAreLossesBesideReadableOnes) {
  const RunDirectory directory;
  directory.add(image(100, 1000));
  ASSERT_EQ(::symlink("/etc/passwd", (directory.path() + "/9-1.seg").c_str()), 0);
  ASSERT_EQ(::mkfifo((directory.path() + "/9-2.seg").c_str(), 0600), 0);
  ASSERT_EQ(::mkdir((directory.path() + "/9-3.seg").c_str(), 0700), 0);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(run.completeness().segments, 4u);
  ASSERT_EQ(run.completeness().losses.size(), 3u);
  EXPECT_THAT(run.completeness().losses[0].detail, HasSubstr("symbolic link"));
  EXPECT_THAT(run.completeness().losses[1].detail, HasSubstr("not a regular file"));
}

TEST(Errors, AllSegmentsUnreadableIsAnError) {
  const RunDirectory directory;
  ASSERT_EQ(::symlink("/etc/passwd", (directory.path() + "/9-1.seg").c_str()), 0);
  EXPECT_THAT(error_of(directory.path()).why, HasSubstr("symbolic link"));
}

TEST(Versions, ANewerMinorIsReadAndItsNewsSkipped) {
  const RunDirectory directory;
  SegmentBuilder segment = image(100, 1000);
  segment.header().minor = 9;
  segment.record(700, {100, 1500}, "something from the future");
  // A known record with more fields behind its bytes.
  const trace::Note fixed{0, 4};
  std::string payload(sizeof fixed, '\0');
  std::memcpy(payload.data(), &fixed, sizeof fixed);
  segment.record(static_cast<std::uint16_t>(trace::RecordType::note), {100, 2000},
                 payload + "text    new fields");
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  const auto notes = only<NoteEvent>(run);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].text, "text");
  EXPECT_EQ(run.completeness().unknown_records, 1u);
  ASSERT_EQ(run.completeness().losses.size(), 1u);
  EXPECT_THAT(run.completeness().losses[0].detail, HasSubstr("1.9"));
}

TEST(Versions, ANewerMinorMayHaveALongerHeader) {
  const RunDirectory directory;
  SegmentBuilder segment(100, 1000);
  segment.header().minor = 9;
  segment.header().header_length = 512;
  segment.zeros(256);
  begin_image(&segment, "app");
  std::string bytes = segment.bytes();
  bytes.replace(256, 10, "new fields");
  directory.write(segment.name(), bytes);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(run.completeness().records, 4u);
  EXPECT_EQ(run.completeness().damages, 0u);
}

TEST(Versions, TheRecorderOfASegmentIsToldSince1_6) {
  const auto recorder_of = [](std::uint16_t minor, std::uint8_t recorder) {
    const RunDirectory directory;
    SegmentBuilder segment = image(100, 1000);
    segment.header().minor = minor;
    segment.header().recorder = recorder;
    directory.add(segment);
    const ReadRun run = open_or_die(directory.path());
    EXPECT_EQ(only<ProcessEvent>(run).at(0).recorder, run.processes().at(0).recorder);
    return run.processes().at(0).recorder;
  };
  EXPECT_EQ(recorder_of(6, 0), trace::Recorder::shim);
  EXPECT_EQ(recorder_of(6, 1), trace::Recorder::tracer);
  EXPECT_EQ(recorder_of(5, 1), trace::Recorder::shim) << "part of a number then";
}

// Cells behind the header count what was opened again; nothing else in the file does.
TEST(Versions, RepeatsAreCountedBehindTheHeader) {
  const RunDirectory directory;
  SegmentBuilder segment(100, 1000);
  segment.header().repeats = 2;
  segment.header().header_length += 2 * sizeof(trace::Repeat);
  segment.zeros(2 * sizeof(trace::Repeat));
  begin_image(&segment, "app");
  trace::Create opened = testing::creation(1, 0, 022);
  opened.created = static_cast<std::uint8_t>(trace::Created::no);
  for (const std::uint32_t repeat : {2u, 0u, 3u}) {
    segment.create({100, 2000, 0, 0, repeat}, opened, "/dev/null");
  }
  std::string bytes = segment.bytes();
  bytes[sizeof(trace::SegmentHeader) + sizeof(trace::Repeat)] = 9;  // the place
  bytes[sizeof(trace::SegmentHeader) + sizeof(trace::Repeat) + 8] = 41;
  directory.write(segment.name(), bytes);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(run.completeness().damages, 0u);
  const auto events = only<CreateEvent>(run);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].count, 42u);
  EXPECT_EQ(events[1].count, 1u);
  EXPECT_EQ(events[2].count, 1u) << "there is no third cell";
}

TEST(Losses, TheShimsCountersAreWorded) {
  const RunDirectory directory;
  SegmentBuilder segment = image(100, 1000);
  segment.header().lost[static_cast<unsigned>(trace::Loss::no_space)] = 5;
  segment.header().lost[15] = 2;
  directory.add(segment);
  SegmentBuilder other = image(200, 2000);
  other.header().lost[static_cast<unsigned>(trace::Loss::no_space)] = 3;
  directory.add(other);
  const ReadRun run = open_or_die(directory.path());
  const Completeness& all = run.completeness();
  EXPECT_EQ(all.lost[static_cast<unsigned>(trace::Loss::no_space)], 8u);
  EXPECT_EQ(all.total_lost(), 10u);
  ASSERT_EQ(all.losses.size(), 3u);
  EXPECT_EQ(all.losses[0].reason, "no-space");
  EXPECT_EQ(all.losses[0].count, 5u);
  EXPECT_EQ(all.losses[1].reason, "other");
  EXPECT_EQ(only<LossEvent>(run).size(), 3u);
}

TEST(Losses, TheRunsStateTellsOfImagesWithoutASegment) {
  const RunDirectory directory;
  trace::RunState state{};
  std::memcpy(state.magic, trace::kMagic, sizeof state.magic);
  state.major = trace::kMajor;
  state.byte_order = trace::kByteOrder;
  state.images = 5;
  state.segments = 2;
  state.segments_failed = 3;
  state.last_errno = 28;
  std::string bytes(4096, '\0');
  std::memcpy(bytes.data(), &state, sizeof state);
  directory.write(trace::kRunStateName, bytes);
  EXPECT_THAT(error_of(directory.path()).why, HasSubstr("No space left"));
  directory.add(image(100, 1000));
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(run.completeness().images, 5u);
  EXPECT_EQ(run.completeness().segments_failed, 3u);
  ASSERT_EQ(run.completeness().losses.size(), 2u);
  EXPECT_EQ(run.completeness().losses[0].reason, "segments-failed");
  EXPECT_THAT(run.completeness().losses[0].detail, HasSubstr("No space left"));
  EXPECT_EQ(run.completeness().losses[1].reason, "segments-missing");
  // Damage in it is no reason to refuse the run.
  directory.write(trace::kRunStateName, "?");
  EXPECT_EQ(open_or_die(directory.path()).completeness().images, 1u);
}

trace::Exec exec() {
  trace::Exec fixed{};
  fixed.context = 1;
  fixed.call = 3;
  return fixed;
}

TEST(BlindSpots, AnExecThatLedNowhereIsOne) {
  const RunDirectory directory;
  SegmentBuilder segment = image(100, 1000);
  segment.exec({100, 2000}, exec(), "/bin/static-one");
  segment.note({101, 3000}, 0, "later");
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  const auto events = events_of(run);
  ASSERT_EQ(events.size(), 4u);
  const auto* spot = std::get_if<BlindSpotEvent>(&events[2]);
  ASSERT_NE(spot, nullptr) << "at its place in time";
  EXPECT_EQ(spot->reason, trace::Blind::exec_silent);
  EXPECT_EQ(spot->text, "/bin/static-one");
  EXPECT_EQ(spot->pid, 100u);
  EXPECT_EQ(spot->fs, 1u);
}

TEST(BlindSpots, TheShimsOwnWordIsEnough) {
  const RunDirectory directory;
  SegmentBuilder segment = image(100, 1000);
  trace::BlindSpot spot{};
  spot.reason = static_cast<std::uint16_t>(trace::Blind::exec_static);
  segment.blind_spot({100, 2000}, spot, "/bin/static-one");
  segment.exec({100, 2000}, exec(), "/bin/static-one");
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  const auto spots = only<BlindSpotEvent>(run);
  ASSERT_EQ(spots.size(), 1u);
  EXPECT_EQ(spots[0].reason, trace::Blind::exec_static);
}

// The next image of that process is in a segment of the tracer's: nothing was hidden.
TEST(BlindSpots, WhatATracerRecordedIsNone) {
  const auto told_by = [](trace::Recorder recorder, std::uint32_t pid, std::uint64_t stamp) {
    const RunDirectory directory;
    SegmentBuilder segment = image(100, 1000);
    trace::BlindSpot spot{};
    spot.reason = static_cast<std::uint16_t>(trace::Blind::exec_static);
    spot.context = 1;
    segment.exec({100, 2000}, exec(), "/bin/static-one");
    segment.blind_spot({100, 2001}, spot, "/bin/static-one");
    directory.add(segment);
    SegmentBuilder next = image(pid, stamp);
    next.header().recorder = static_cast<std::uint8_t>(recorder);
    directory.add(next);
    const ReadRun run = open_or_die(directory.path());
    EXPECT_EQ(run.completeness().hides_creations, !only<BlindSpotEvent>(run).empty());
    return only<BlindSpotEvent>(run).size();
  };
  EXPECT_EQ(told_by(trace::Recorder::tracer, 100, 2100), 0u);
  EXPECT_EQ(told_by(trace::Recorder::shim, 100, 2100), 1u) << "what started it later was seen";
  EXPECT_EQ(told_by(trace::Recorder::tracer, 100, 1900), 1u) << "an earlier image";
  EXPECT_EQ(told_by(trace::Recorder::tracer, 101, 2100), 1u) << "another process";
}

TEST(BlindSpots, AnImageOfTheSamePidFollows) {
  const RunDirectory directory;
  SegmentBuilder segment = image(100, 1000);
  segment.exec({100, 2000}, exec(), "/bin/next");
  directory.add(segment);
  directory.add(image(100, 2100));
  EXPECT_TRUE(only<BlindSpotEvent>(open_or_die(directory.path())).empty());
}

}  // namespace
}  // namespace umaskaudit::reader

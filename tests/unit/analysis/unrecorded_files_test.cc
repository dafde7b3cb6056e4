// What may have been created without a record, and how little is asked of a run where nothing was.
// That what appears is found, and nothing else, tests/e2e/test_appeared.py holds against real runs.
#include "reporter/analysis/unrecorded_files.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "preload/trace/object_facts.h"
#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::analysis {
namespace {

using testing::creation;
using ::testing::ElementsAre;
using testing::mask_change;
using testing::open_or_die;
using testing::ReadRun;
using testing::RunDirectory;
using testing::SegmentBuilder;

SegmentBuilder image() {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  return segment;
}

void add_blind_spot(SegmentBuilder* segment, std::uint16_t reason) {
  trace::BlindSpot spot{};
  spot.reason = reason;
  spot.context = 1;
  segment->blind_spot({100, 2000}, spot, "what");
}

reader::Completeness completeness_of(const SegmentBuilder& segment) {
  const RunDirectory directory;
  directory.add(segment);
  return open_or_die(directory.path()).completeness();
}

reader::Completeness behind(std::uint16_t reason) {
  SegmentBuilder segment = image();
  add_blind_spot(&segment, reason);
  return completeness_of(segment);
}
reader::Completeness behind(trace::Blind reason) {
  return behind(static_cast<std::uint16_t>(reason));
}

TEST(Hidden, NothingWhereAllWasSeen) {
  SegmentBuilder segment = image();
  segment.create({100, 2000}, creation(1, 0, 022), "/made");
  segment.umask({100, 3000}, mask_change(1, 1, 022, 027));
  EXPECT_FALSE(completeness_of(segment).hides_creations);
  EXPECT_FALSE(completeness_of(segment).hides_owners);
}

TEST(Hidden, BlindSpotsOfMasksAndNamesHideNoCreation) {
  EXPECT_FALSE(behind(trace::Blind::no_mask).hides_creations);
  EXPECT_FALSE(behind(trace::Blind::raw_clone).hides_creations);
  EXPECT_FALSE(behind(trace::Blind::untracked_chroot).hides_creations);
}

TEST(Hidden, OthersDoAlsoThoseOfANewerShim) {
  EXPECT_TRUE(behind(trace::Blind::exec_static).hides_creations);
  EXPECT_TRUE(behind(trace::Blind::dlmopen).hides_creations);
  EXPECT_TRUE(behind(trace::Blind::io_uring).hides_creations);
  EXPECT_TRUE(behind(63).hides_creations);
  EXPECT_TRUE(behind(64 + static_cast<std::uint16_t>(trace::Blind::no_mask)).hides_creations);
  EXPECT_TRUE(behind(UINT16_MAX).hides_creations);
}

TEST(Hidden, OnlyAProgramWithOtherRightsHidesWhoItWas) {
  EXPECT_FALSE(behind(trace::Blind::exec_static).hides_owners);
  EXPECT_TRUE(behind(trace::Blind::exec_privileged).hides_owners);
}

TEST(Hidden, BehindALossAndAnExecThatNobodyExplains) {
  SegmentBuilder full = image();
  full.header().lost[static_cast<unsigned>(trace::Loss::segment_full)] = 1;
  EXPECT_TRUE(completeness_of(full).hides_creations);
  SegmentBuilder gone = image();
  trace::Exec exec{};
  exec.context = 1;
  gone.exec({100, 2000}, exec, "/bin/unseen");
  EXPECT_TRUE(completeness_of(gone).hides_creations);
}

TEST(Hidden, BehindAMaskThatSomebodyUnseenSet) {
  SegmentBuilder segment = image();
  trace::Umask drift = mask_change(1, 1, 077, 027);
  drift.cached = 022;
  segment.umask({100, 2000, trace::kDrift}, drift);
  EXPECT_TRUE(completeness_of(segment).hides_creations);
}

TEST(UnrecordedObject, ARunIsNotReadAgainWhereAllWasSeen) {
  const RunDirectory directory;
  SegmentBuilder segment = image();
  segment.create({100, 2000}, creation(1, 0, 022), "/made");
  directory.add(segment);
  unsigned passes = 0;
  const auto count = [&](std::uint64_t done, std::uint64_t total) { passes += done == total; };
  const Result<ReadRun> run = ReadRun::open(directory.path(), count);
  ASSERT_TRUE(run);
  const unsigned opened = passes;
  EXPECT_TRUE(find_unrecorded(*run, {}).objects.empty());
  EXPECT_EQ(passes, opened);
  (void)testing::events_of(*run);
  EXPECT_EQ(passes, opened + 1);  // that is how it would be noticed
}

// Files that are really there.
class AppearedOnDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    segment_ = image();
    add_blind_spot(&segment_, static_cast<std::uint16_t>(trace::Blind::dlmopen));
    query_.directory = files_.path();
    query_.begin_real_ns = 1;
    query_.end_real_ns = INT64_MAX;
    query_.any_owner = true;
    files_.write("probe", "");
    if (facts("probe").stx_btime.tv_sec == 0) GTEST_SKIP() << "no births on this filesystem";
    record("probe");
  }

  struct statx facts(const std::string& name) const {
    struct statx facts {};
    EXPECT_EQ(statx(AT_FDCWD, (files_.path() + "/" + name).c_str(), AT_SYMLINK_NOFOLLOW,
                    STATX_BASIC_STATS | STATX_BTIME, &facts),
              0);
    return facts;
  }
  // The run says that it made it.
  void record(const std::string& name, bool with_birth = true) {
    const struct statx found = facts(name);
    trace::Create create = creation(1, 0, 022);
    create.kind = static_cast<std::uint8_t>(trace::kind_of_type(found.stx_mode));
    create.dev = trace::device_of(found);
    create.ino = found.stx_ino;
    create.birth_ns = with_birth ? trace::birth_of(found) : 0;
    segment_.create({100, 3000}, create, files_.path() + "/" + name);
  }
  std::vector<std::string> unrecorded() {
    const RunDirectory directory;
    directory.add(segment_);
    std::vector<std::string> names;
    const UnrecordedObjects found = find_unrecorded(open_or_die(directory.path()), query_);
    incomplete_ = found.incomplete;
    for (const UnrecordedObject& file : found.objects)
      names.push_back(file.path.substr(files_.path().size() + 1));
    return names;
  }

  RunDirectory files_;
  SegmentBuilder segment_{0};
  UnrecordedQuery query_;
  std::string incomplete_;
};

TEST_F(AppearedOnDisk, WhatNoRecordNamesByPath) {
  for (const char* name : {"c", "a", "d", "b"}) files_.write(name, "");
  record("d");
  EXPECT_THAT(unrecorded(), ElementsAre("a", "b", "c"));
}

TEST_F(AppearedOnDisk, ARecordWithoutABirthNamesWhateverHasTheInode) {
  files_.write("a", "");
  files_.write("b", "");
  record("a", false);
  EXPECT_THAT(unrecorded(), ElementsAre("b"));
}

TEST_F(AppearedOnDisk, AnInodeThatWasUsedBeforeIsAnotherObject) {
  files_.write("a", "");
  trace::Create earlier = creation(1, 0, 022);
  earlier.dev = trace::device_of(facts("a"));
  earlier.ino = facts("a").stx_ino;
  earlier.birth_ns = trace::birth_of(facts("a")) - 1;
  segment_.create({100, 3000}, earlier, files_.path() + "/gone");
  EXPECT_THAT(unrecorded(), ElementsAre("a"));
}

TEST_F(AppearedOnDisk, WhatLiesBelowTheFirstLevel) {
  const std::string top = files_.path();
  for (const char* name : {"/x", "/x/y", "/x/y/z"}) ASSERT_EQ(mkdir((top + name).c_str(), 0700), 0);
  files_.write("x/y/z/deep", "");
  ASSERT_EQ(symlink("/etc", (top + "/x/link").c_str()), 0);
  EXPECT_THAT(unrecorded(), ElementsAre("x", "x/y", "x/y/z", "x/y/z/deep"));
  EXPECT_EQ(incomplete_, "");
}

TEST_F(AppearedOnDisk, ADirectoryUnderTwoNamesIsOne) {
  ASSERT_EQ(mkdir((files_.path() + "/www").c_str(), 0700), 0);
  files_.write("a", "");
  record("www");
  query_.directory = files_.path() + "/www/..";
  EXPECT_THAT(unrecorded(), ElementsAre("a"));
}

TEST_F(AppearedOnDisk, AnObjectUnderTwoNamesIsOne) {
  files_.write("a", "");
  ASSERT_EQ(link((files_.path() + "/a").c_str(), (files_.path() + "/b").c_str()), 0);
  EXPECT_EQ(unrecorded().size(), 1U);
}

TEST_F(AppearedOnDisk, DirectoriesOfTheRunAreLookedIntoWithoutACreationInThem) {
  ASSERT_EQ(mkdir((files_.path() + "/made").c_str(), 0700), 0);
  files_.write("made/a", "");
  record("made");
  query_.directory = "";
  // What all may write to is left out, but not what the run made in it.
  ASSERT_EQ(chmod(files_.path().c_str(), 01777), 0);
  EXPECT_THAT(unrecorded(), ElementsAre("made/a"));
}

TEST_F(AppearedOnDisk, HowMuchIsLookedAtIsBoundedAndSaid) {
  for (const char* name : {"a", "b", "c", "d"}) files_.write(name, "");
  query_.most_entries = 3;
  EXPECT_LE(unrecorded().size(), 3U);
  EXPECT_THAT(incomplete_, ::testing::HasSubstr("3 names were looked at, and there are more"));
  query_.most_entries = 5;  // and the probe
  EXPECT_EQ(unrecorded().size(), 4U);
  EXPECT_EQ(incomplete_, "");
}

TEST_F(AppearedOnDisk, TheWalkTellsHowFarItIs) {
  for (int i = 0; i < 1100; ++i) files_.write("f" + std::to_string(i), "");
  std::uint64_t told = 0;
  query_.ticker = [&](std::uint64_t entries) { told = entries; };
  EXPECT_EQ(unrecorded().size(), 1100U);
  EXPECT_EQ(told, 1024U);
}

TEST_F(AppearedOnDisk, OwnersAreThoseThatTheRunWas) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  segment_ = SegmentBuilder(100, 1000);
  trace::Process process{};
  process.pid = 100;
  process.context = 1;
  process.uid = process.euid = 1000;
  segment_.process({100, 1000}, process, "/usr/bin/app", "app");
  trace::Context context{};
  context.id = 1;
  context.owner = 100;
  segment_.context({100, 1000}, context);
  add_blind_spot(&segment_, static_cast<std::uint16_t>(trace::Blind::dlmopen));
  query_.any_owner = false;
  files_.write("a", "");
  files_.write("b", "");
  EXPECT_THAT(unrecorded(), ElementsAre());
  ASSERT_EQ(chown((files_.path() + "/a").c_str(), 1000, 1000), 0);
  EXPECT_THAT(unrecorded(), ElementsAre("a"));
}

TEST_F(AppearedOnDisk, ASecondNameOfWhatIsRecordedIsNoOther) {
  files_.write("a", "");
  record("a");
  ASSERT_EQ(link((files_.path() + "/a").c_str(), (files_.path() + "/b").c_str()), 0);
  EXPECT_THAT(unrecorded(), ElementsAre());
}

}  // namespace
}  // namespace umaskaudit::analysis

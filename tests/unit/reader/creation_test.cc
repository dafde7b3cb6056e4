// One creation: its path, its candidate masks, and who made it when several calls say so.
#include <gmock/gmock.h>

#include "reporter/reader/event_builder.h"
#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::reader {
namespace {

using testing::creation;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::mask_change;
using testing::only;
using testing::open_or_die;
using testing::ReadRun;
using testing::RunDirectory;
using testing::SegmentBuilder;

class Creations : public ::testing::Test {
 protected:
  Creations() { begin_image(&segment_, "app"); }

  std::vector<CreateEvent> read() {
    directory_.add(segment_);
    run_.emplace(open_or_die(directory_.path()));
    return only<CreateEvent>(*run_);
  }

  RunDirectory directory_;
  SegmentBuilder segment_{100, 1000};
  std::optional<ReadRun> run_;
};

TEST(JoinPath, OnlyDoubledSlashesAndLeadingDotsGo) {
  const auto join = [](std::string_view base, std::string_view argument) {
    std::string path = "left over";
    reader::join_path(base, argument, &path);
    return path;
  };
  EXPECT_EQ(join("/base", "file"), "/base/file");
  EXPECT_EQ(join("/", "file"), "/file");
  EXPECT_EQ(join("/base/", "file"), "/base/file");
  EXPECT_EQ(join("/base", "./file"), "/base/file");
  EXPECT_EQ(join("/base", ".//././/file"), "/base/file");
  EXPECT_EQ(join("/base", "../file"), "/base/../file") << "may cross a symbolic link";
  EXPECT_EQ(join("/base", "a/./b"), "/base/a/./b");
  EXPECT_EQ(join("/base", "a//b///c/"), "/base/a/b/c/");
  EXPECT_EQ(join("", "//abs//olute"), "/abs/olute");
  EXPECT_EQ(join("/new/root", "/etc/x"), "/new/root/etc/x") << "after chroot(2)";
  EXPECT_EQ(join("/new/root/", "//etc"), "/new/root/etc");
  EXPECT_EQ(join("/new/root/", "/etc"), "/new/root/etc");
  EXPECT_EQ(join("", "file"), "file") << "nothing known: as it was passed";
  EXPECT_EQ(join("", "./file"), "file");
  EXPECT_EQ(join("/base", ""), "/base");
  EXPECT_EQ(join("/base", "."), "/base/.");
  EXPECT_EQ(join("/base", ".hidden"), "/base/.hidden");
  EXPECT_EQ(join("", ""), "");
  EXPECT_EQ(join("/base", "a\n\xff"), "/base/a\n\xff") << "bytes are kept";
}

TEST_F(Creations, TheMaskDidNotMove) {
  segment_.umask({100, 2000}, mask_change(1, 1, 022, 077));
  segment_.create({100, 3000}, creation(1, 1, 077), "f");
  const auto events = read();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].mask, 077u);
  EXPECT_THAT(events[0].ambiguous_masks, IsEmpty());
}

TEST_F(Creations, HowTheModeWasReadIsTold) {
  segment_.create({100, 3000}, creation(1, 0, 022), "f");
  segment_.create({100, 3001, trace::kModeByName}, creation(1, 0, 022), "g");
  const auto events = read();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_FALSE(events[0].mode_by_name);
  EXPECT_TRUE(events[1].mode_by_name);
}

TEST_F(Creations, EveryMaskDuringTheCallIsACandidate) {
  const std::uint16_t masks[] = {022, 0, 022, 077, 022};
  for (std::uint16_t i = 1; i < 5; ++i) {
    segment_.umask({101, 2000u + i}, mask_change(1, i, masks[i - 1], masks[i]));
  }
  trace::Create create = creation(1, 0, 022);
  create.change_after = 4;
  create.final_mode = 0100600;  // only 077 leads here
  segment_.create({100, 3000}, create, "f");
  const auto events = read();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_THAT(events[0].ambiguous_masks, ElementsAre(022, 0, 077));
  EXPECT_EQ(events[0].mask, 077u);
  EXPECT_EQ(events[0].mask_set_by, 3u);
  EXPECT_EQ(events[0].steps.back().mode, 0600u);
}

TEST_F(Creations, TheCandidateBeforeTheCallGoesBackToItsOwnChange) {
  segment_.umask({101, 2000}, mask_change(1, 1, 022, 027));
  segment_.umask({101, 3000}, mask_change(1, 2, 027, 0));
  trace::Create create = creation(1, 1, 027);
  create.change_after = 2;
  create.mask_after = 0;
  segment_.create({100, 3100}, create, "f");
  const auto events = read();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_THAT(events[0].ambiguous_masks, ElementsAre(027, 0));
  EXPECT_EQ(events[0].mask, 027u);
  EXPECT_EQ(events[0].mask_set_by, 1u);
}

TEST_F(Creations, ABusySnapshotAddsTheChangeUnderWay) {
  segment_.umask({101, 2000}, mask_change(1, 1, 022, 0));
  trace::Create create = creation(1, 0, 022);
  create.final_mode = 0100666;
  segment_.create({100, 2100, trace::kBusy}, create, "f");
  segment_.create({100, 2100}, creation(1, 0, 022), "g");
  const auto events = read();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_THAT(events[0].ambiguous_masks, IsEmpty()) << events[0].path_arg;
  EXPECT_THAT(events[1].ambiguous_masks, ElementsAre(022, 0)) << events[1].path_arg;
  EXPECT_EQ(events[1].mask_set_by, 1u);
}

// The cache is written before the change is counted: a snapshot between the two has the new mask
// under the old number.
TEST_F(Creations, ASnapshotInTheMiddleOfAChangeNamesTheRightOne) {
  segment_.umask({101, 2000}, mask_change(1, 1, 022, 0));
  segment_.umask({101, 3000}, mask_change(1, 2, 0, 077));
  trace::Create create = creation(1, 0, 0);  // change 0 would be 022
  create.change_after = 1;
  segment_.create({100, 2100}, create, "f");
  create = creation(1, 1, 077);
  create.change_after = 2;
  segment_.create({100, 3100}, create, "g");
  const auto events = read();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_THAT(events[0].ambiguous_masks, ElementsAre(022, 0));
  EXPECT_EQ(events[0].mask, 0u);
  EXPECT_EQ(events[0].mask_set_by, 1u);
  EXPECT_THAT(events[1].ambiguous_masks, ElementsAre(0, 077));
  EXPECT_EQ(events[1].mask_set_by, 2u);
}

TEST_F(Creations, TogglingBackAndForthToTheSameMaskIsNotAmbiguous) {
  segment_.umask({101, 2000}, mask_change(1, 1, 022, 022));
  trace::Create create = creation(1, 0, 022);
  create.change_after = 1;
  segment_.create({100, 3000}, create, "f");
  const auto events = read();
  EXPECT_THAT(events.at(0).ambiguous_masks, IsEmpty());
}

// A task that borrows the memory has no history here but its own snapshots.
TEST_F(Creations, ForeignCreationsUseTheirSnapshots) {
  trace::Create create = creation(9, 0, 022);
  create.mask_after = 077;
  create.change_after = 1;
  segment_.create({200, 2000, trace::kForeign, 200}, create, "f");
  const auto events = read();
  EXPECT_EQ(events.at(0).pid, 200u);
  EXPECT_THAT(events.at(0).ambiguous_masks, ElementsAre(022, 077));
  EXPECT_FALSE(events.at(0).mask_set_by.has_value());
}

TEST_F(Creations, ForgedChangeNumbersDoNotRunAway) {
  segment_.umask({101, 2000}, mask_change(1, 1, 022, 0));
  trace::Create create = creation(1, 0, 022);
  create.change_after = UINT64_MAX;
  segment_.create({100, 3000, trace::kBusy}, create, "f");
  create.change_before = UINT64_MAX;
  segment_.create({100, 3001, trace::kBusy}, create, "g");
  EXPECT_EQ(read().size(), 2u);
}

trace::Create claim(std::uint64_t ino, std::int64_t birth, trace::Created created) {
  trace::Create create = creation(1, 0, 022);
  create.ino = ino;
  create.birth_ns = birth;
  create.created = static_cast<std::uint8_t>(created);
  return create;
}

std::string makers(const std::vector<CreateEvent>& events) {
  std::string text;
  for (const CreateEvent& event : events) {
    text += event.created == trace::Created::yes  ? 'y'
            : event.created == trace::Created::no ? 'n'
                                                  : '?';
  }
  return text;
}

TEST_F(Creations, ALoneProbablyIsAYes) {
  segment_.create({100, 2000}, claim(7, 5, trace::Created::probably), "f");
  segment_.create({100, 2001}, claim(8, 5, trace::Created::unknown), "g");
  EXPECT_EQ(makers(read()), "y?");
}

TEST_F(Creations, OfTwoProbablyTheFirstMadeIt) {
  segment_.create({101, 2100}, claim(7, 5, trace::Created::probably), "f");
  segment_.create({102, 2000}, claim(7, 5, trace::Created::probably), "f");
  segment_.create({103, 2200}, claim(7, 5, trace::Created::probably), "f");
  const auto events = read();
  EXPECT_EQ(makers(events), "ynn");
  EXPECT_EQ(events[0].tid, 102u);
}

TEST_F(Creations, ACertainMakerBeatsAProbableOneInAnyOrder) {
  segment_.create({101, 2000}, claim(7, 5, trace::Created::probably), "f");
  segment_.create({102, 2100}, claim(7, 5, trace::Created::yes), "f");
  segment_.create({103, 2200}, claim(7, 5, trace::Created::probably), "f");
  EXPECT_EQ(makers(read()), "nyn");
}

TEST_F(Creations, TheSameInodeBornAtAnotherTimeIsAnotherObject) {
  segment_.create({101, 2000}, claim(7, 5, trace::Created::probably), "f");
  segment_.create({101, 2100}, claim(7, 6, trace::Created::probably), "f");
  EXPECT_EQ(makers(read()), "yy");
}

// Births are dated by the kernel's tick: a file removed and made again within one looks the same.
TEST_F(Creations, AnUnlinkFreesTheInode) {
  trace::Rename unlink{};
  unlink.action = 3;
  unlink.dev = 1;
  unlink.ino = 7;
  segment_.create({101, 2000}, claim(7, 5, trace::Created::probably), "f");
  segment_.rename({101, 2050}, unlink, "f", "");
  segment_.create({101, 2100}, claim(7, 5, trace::Created::probably), "f");
  segment_.create({101, 2200}, claim(7, 5, trace::Created::probably), "f");
  EXPECT_EQ(makers(read()), "yyn");
}

TEST_F(Creations, FailedCallsClaimNothing) {
  trace::Create failed = claim(7, 5, trace::Created::yes);
  failed.error = 17;
  segment_.create({101, 2000}, failed, "f");
  segment_.create({101, 2100}, claim(7, 5, trace::Created::probably), "f");
  EXPECT_EQ(makers(read()), "yy");
}

}  // namespace
}  // namespace umaskaudit::reader

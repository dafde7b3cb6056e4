// Masks replayed under another one, and names read as the same: what e2e-compare holds against
// real programs, here one rule at a time.
#include <gtest/gtest.h>

#include <fcntl.h>

#include "reporter/analysis/mask_choice.h"
#include "reporter/analysis/mask_replay.h"
#include "reporter/analysis/path_names.h"

namespace umaskaudit::analysis {
namespace {

constexpr Mode kOther = 027;  // instead of the inherited 022

class Replay : public ::testing::Test {
 protected:
  // One umask call of one process; each follows on the one before.
  Mode call(std::uint32_t argument, std::uint32_t site = 1, bool drift = false) {
    UmaskEvent event;
    event.id = ++last_;
    event.pid = pid_;
    event.stack.id = site;
    event.argument = argument;
    event.old_mask = drift ? 077 : now_;
    event.drift = drift;
    if (last_ > 1) event.old_set_by = last_ - 1;
    event.new_mask = now_ = argument & 0777;
    replay_.see(event);
    return replay_.mask_after(last_);
  }
  void start(std::uint32_t pid, std::uint32_t ppid, trace::Origin origin) {
    ProcessEvent event;
    event.pid = pid_ = pid;
    event.ppid = ppid;
    event.origin = origin;
    replay_.see(event);
  }

  MaskReplay replay_{kOther};
  std::uint64_t last_ = 0;
  std::uint32_t pid_ = 1;
  Mode now_ = 022;
};

TEST_F(Replay, WhatIsInheritedIsReplaced) { EXPECT_EQ(replay_.mask_after(std::nullopt), kOther); }

TEST_F(Replay, AConstantStays) {
  EXPECT_EQ(call(077), 077u);
  EXPECT_EQ(call(02, 2), 02u);
}

TEST_F(Replay, TheSecondOfAPairPutsTheOtherMaskBack) {
  EXPECT_EQ(call(0), 0u);
  EXPECT_EQ(call(022, 2), kOther);
}

TEST_F(Replay, PairsNest) {
  EXPECT_EQ(call(07), 07u);
  EXPECT_EQ(call(077, 2), 077u);
  EXPECT_EQ(call(07, 3), 07u);
  EXPECT_EQ(call(022, 4), kOther);
}

TEST_F(Replay, WhatWasPutBackIsNotPutBackTwice) {
  call(0);
  EXPECT_EQ(call(022, 2), kOther);
  EXPECT_EQ(call(022, 3), 022u);  // a shell's `umask 022` behind its own getter
}

TEST_F(Replay, ASiteThatSaysTheSameAgainIsNoSecondOfAPair) {
  EXPECT_EQ(call(022, 5), 022u);
  EXPECT_EQ(call(022, 5), 022u);
  EXPECT_EQ(replay_.mask_after(last_), 022u);
}

TEST_F(Replay, AForkedChildRemembersAndAnExecDoesNot) {
  start(1, 0, trace::Origin::exec);
  call(077);
  start(2, 1, trace::Origin::fork);
  EXPECT_EQ(call(022, 2), kOther);
  start(2, 1, trace::Origin::exec);
  EXPECT_EQ(call(022, 3), 022u);
}

TEST_F(Replay, WhatSomebodyUnseenSetIsNotInherited) {
  call(0, 1, true);
  EXPECT_EQ(call(077, 2), 077u);
}

class Choice : public ::testing::Test {
 protected:
  // Returns the number of the call that chose the mask which this one set; 0: inherited.
  std::uint64_t call(std::uint32_t argument, std::uint32_t site, std::uint32_t tid = 1) {
    UmaskEvent event;
    event.id = ++last_;
    event.pid = 1;
    event.tid = tid;
    event.stack.id = site;
    event.argument = argument;
    event.old_mask = now_;
    if (last_ > 1) event.old_set_by = last_ - 1;
    event.new_mask = now_ = static_cast<Mode>(argument & 0777);
    choice_.see(event);
    return choice_.chooser(last_).value_or(0);
  }

  MaskChoice choice_;
  std::uint64_t last_ = 0;
  Mode now_ = 022;
};

TEST_F(Choice, AGetterOfAnotherThreadChoosesNothing) {
  EXPECT_EQ(call(077, 1), 1u);
  EXPECT_EQ(call(0, 2, 7), 2u);
  EXPECT_EQ(call(077, 3, 7), 1u);
  EXPECT_EQ(call(0, 2, 7), 4u);
  EXPECT_EQ(call(077, 3, 7), 1u) << "through two that put it back";
  EXPECT_EQ(call(022, 4), 0u);
  EXPECT_EQ(choice_.chooser(3), 1u);
}

TEST_F(Choice, APairWithinAMaskThatWasPutBackBefore) {
  EXPECT_EQ(call(0, 1), 1u);
  EXPECT_EQ(call(022, 2), 0u);
  EXPECT_EQ(call(077, 3), 3u);
  EXPECT_EQ(call(022, 4), 0u) << "a library that wants 022 for a moment";
  EXPECT_EQ(call(077, 5), 3u);
}

TEST_F(Choice, WhoSetsItAgainChoosesIt) {
  EXPECT_EQ(call(077, 1), 1u);
  EXPECT_EQ(call(027, 2), 2u);
  EXPECT_EQ(call(07, 3), 3u);
  EXPECT_EQ(call(027, 4), 2u);
  EXPECT_EQ(call(007, 5), 3u);
  EXPECT_EQ(choice_.chooser(99), 99u) << "a call that was not seen stands for itself";
}

CreateEvent made(const std::string& path, std::string_view call, trace::Kind kind, Mode requested,
                 std::uint32_t flags) {
  CreateEvent event;
  event.path = path;
  event.call = call;
  event.kind = kind;
  event.requested = requested;
  event.open_flags = flags;
  event.created = trace::Created::yes;
  return event;
}

TEST(PathNames, TheRootIsADot) {
  PathNames names("/srv/app/", {}, false);
  EXPECT_EQ(names.normal("/srv/app"), ".");
  EXPECT_EQ(names.normal("/srv/app/log/x"), "./log/x");
  EXPECT_EQ(names.normal("/srv/apple"), "/srv/apple");
  EXPECT_EQ(names.below_root(), 2u);
}

TEST(PathNames, RandomNamesAreLearntFromTheCallsThatMakeThem) {
  PathNames names("", {}, false);
  names.learn(made("/t/job-aB3dE6", "mkdtemp", trace::Kind::dir, 0700, 0));
  names.learn(made("/t/x123456.o", "mkstemps", trace::Kind::file, 0600, 0));
  names.learn(made("/t/tmp.AbCdEf0123", "openat", trace::Kind::file, 0600, O_CREAT | O_EXCL));
  names.learn(made("/t/tmpab_12xyz.py", "open", trace::Kind::file, 0600, O_CREAT | O_EXCL));
  names.learn(made("/t/tmpdatabase", "open", trace::Kind::file, 0644, O_CREAT));
  EXPECT_EQ(names.normal("/t/job-aB3dE6/below/it"), "/t/job-<temp>/below/it");
  EXPECT_EQ(names.normal("/t/x123456.o"), "/t/x<temp>.o");
  EXPECT_EQ(names.normal("/t/tmp.AbCdEf0123"), "/t/tmp.<temp>");
  EXPECT_EQ(names.normal("/t/tmpab_12xyz.py"), "/t/tmp<temp>.py");
  EXPECT_EQ(names.normal("/t/tmpdatabase"), "/t/tmpdatabase");
  EXPECT_EQ(names.normal("/other/job-aB3dE6"), "/other/job-aB3dE6");
  EXPECT_EQ(names.temporary(), 4u);
}

TEST(PathNames, NumbersThatAreProcessIds) {
  PathNames names("", {}, false);
  ProcessEvent process;
  process.pid = 4711;
  names.learn(process);
  process.pid = 7;  // in names for other reasons
  names.learn(process);
  EXPECT_EQ(names.normal("/run/app.4711.sock"), "/run/app.<pid>.sock");
  EXPECT_EQ(names.normal("/run/47110"), "/run/47110");
  EXPECT_EQ(names.normal("/run/tty7"), "/run/tty7");
}

TEST(PathNames, ExpressionsOfTheUser) {
  const auto same = SameText::compile("[0-9]+");
  ASSERT_TRUE(same);
  PathNames names("", {same.value()}, false);
  EXPECT_EQ(names.normal("/v1/2/c"), "/v<same>/<same>/c");
  EXPECT_FALSE(SameText::compile("("));
  const auto empty = SameText::compile("x*");
  std::uint64_t count = 0;
  EXPECT_EQ(empty.value().replaced("axb", &count), "a<same>b");
  EXPECT_EQ(count, 1u);
}

TEST(PathNames, ExactLeavesEverythingAsItIs) {
  PathNames names("/srv", {}, true);
  names.learn(made("/srv/job-aB3dE6", "mkdtemp", trace::Kind::dir, 0700, 0));
  EXPECT_EQ(names.normal("/srv/job-aB3dE6"), "/srv/job-aB3dE6");
}

}  // namespace
}  // namespace umaskaudit::analysis

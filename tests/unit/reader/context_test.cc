// The context tree: which umask call a mask goes back to, across threads, fork, vfork, spawn, exec.
#include <gmock/gmock.h>

#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::reader {
namespace {

using testing::creation;
using testing::mask_change;
using testing::only;
using testing::open_or_die;
using testing::ReadRun;
using testing::RunDirectory;
using testing::SegmentBuilder;

trace::Exec exec_in(std::uint32_t context, std::uint64_t change) {
  trace::Exec exec{};
  exec.context = context;
  exec.change = change;
  exec.call = 3;
  return exec;
}

trace::Context context(std::uint32_t id, std::uint32_t parent, std::uint64_t change,
                       std::uint32_t owner, trace::Origin origin) {
  trace::Context fixed{};
  fixed.id = id;
  fixed.parent = parent;
  fixed.parent_change = change;
  fixed.owner = owner;
  fixed.origin = static_cast<std::uint8_t>(origin);
  return fixed;
}

// A forked child's first record, in its parent's segment.
void begin_child(SegmentBuilder* segment, std::uint32_t pid, std::uint64_t time, std::uint32_t own,
                 std::uint32_t parent, std::uint64_t change) {
  trace::Process process{};
  process.pid = pid;
  process.ppid = segment->header().pid;
  process.origin = static_cast<std::uint8_t>(trace::Origin::fork);
  process.context = own;
  process.parent_context = parent;
  process.parent_change = change;
  segment->process({pid, time, 0, pid}, process, "/usr/bin/app", "child");
}

constexpr std::uint64_t kSecond = 1000000000;

// A child of posix_spawn(3), as its maker records it.
trace::Fork spawned(std::uint32_t child, std::uint64_t change) {
  trace::Fork fork{};
  fork.child = child;
  fork.context = 1;
  fork.change = change;
  fork.origin = static_cast<std::uint8_t>(trace::Origin::vfork);
  return fork;
}

class Contexts : public ::testing::Test {
 protected:
  // Of the process that has had its pid for so long.
  SegmentBuilder image_of_age(std::uint32_t pid, std::uint64_t stamp, std::uint32_t age_ms) {
    SegmentBuilder segment(pid, stamp);
    trace::Process process{};
    process.pid = pid;
    process.origin = static_cast<std::uint8_t>(trace::Origin::exec);
    process.context = 1;
    process.pid_namespace = 4026531836;
    process.age_ms = age_ms;
    segment.process({pid, stamp}, process, "/usr/bin/app", "app");
    segment.call_names({pid, stamp}, {"open", "mkdir", "umask"});
    segment.context({pid, stamp}, context(1, 0, 0, pid, trace::Origin::exec));
    return segment;
  }
  SegmentBuilder image(std::uint32_t pid, std::uint64_t stamp) {
    SegmentBuilder segment(pid, stamp);
    begin_image(&segment, "app");
    return segment;
  }
  // What was created, by argument.
  CreateEvent created(const ReadRun& run, std::string_view name) {
    for (const CreateEvent& event : only<CreateEvent>(run)) {
      if (event.path_arg == name) return event;
    }
    ADD_FAILURE() << "not there: " << name;
    return {};
  }
  RunDirectory directory_;
};

TEST_F(Contexts, OneContextHasItsOwnChangesAndBeforeThemItIsInherited) {
  SegmentBuilder segment = image(100, 1000);
  segment.create({100, 1500}, creation(1, 0, 022), "inherited");
  segment.umask({100, 2000}, mask_change(1, 1, 022, 077));
  segment.create({100, 2500}, creation(1, 1, 077), "first");
  segment.umask({100, 3000}, mask_change(1, 2, 077, 027));
  segment.create({100, 3500}, creation(1, 2, 027), "second");
  segment.create({100, 3600}, creation(1, 3, 027), "lost");
  directory_.add(segment);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_FALSE(created(run, "inherited").mask_set_by.has_value());
  EXPECT_EQ(created(run, "first").mask_set_by, 1u);
  EXPECT_EQ(created(run, "second").mask_set_by, 2u);
  EXPECT_FALSE(created(run, "lost").mask_set_by.has_value()) << "that change's record is missing";
}

TEST_F(Contexts, AForkedChildInheritsTheChangeInForceAtTheFork) {
  SegmentBuilder segment = image(100, 1000);
  segment.umask({100, 2000}, mask_change(1, 1, 022, 077));
  begin_child(&segment, 200, 2500, 2, 1, 1);
  segment.umask({100, 3000}, mask_change(1, 2, 077, 0));  // the parent, later
  segment.create({200, 3500, 0, 200}, creation(2, 0, 077), "child before");
  segment.umask({200, 4000, 0, 200}, mask_change(2, 1, 077, 027));
  segment.create({200, 4500, 0, 200}, creation(2, 1, 027), "child after");
  segment.create({100, 5000}, creation(1, 2, 0), "parent");
  directory_.add(segment);
  const ReadRun run = open_or_die(directory_.path());
  const CreateEvent before = created(run, "child before");
  EXPECT_EQ(before.mask_set_by, 1u);
  EXPECT_EQ(before.pid, 200u);
  EXPECT_EQ(before.thread, "child");
  EXPECT_EQ(created(run, "child after").mask_set_by, 3u);
  EXPECT_EQ(created(run, "parent").mask_set_by, 2u);
  EXPECT_NE(before.fs, created(run, "parent").fs);
  EXPECT_EQ(run.processes().size(), 2u);
}

TEST_F(Contexts, ExecKeepsTheContext) {
  SegmentBuilder first = image(100, 1000);
  first.umask({100, 2000}, mask_change(1, 1, 022, 077));
  first.exec({100, 2500}, exec_in(1, 1), "/usr/bin/other");
  directory_.add(first);
  SegmentBuilder second = image(100, 2600);
  second.create({100, 3000}, creation(1, 0, 077), "after exec");
  second.umask({100, 3500}, mask_change(1, 1, 077, 0));
  second.create({100, 4000}, creation(1, 1, 0), "own");
  directory_.add(second);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(created(run, "after exec").mask_set_by, 1u);
  EXPECT_EQ(created(run, "own").mask_set_by, 2u);
  ASSERT_EQ(run.processes().size(), 2u);
  EXPECT_EQ(run.processes()[0].fs, run.processes()[1].fs) << "one and the same context";
  EXPECT_TRUE(only<BlindSpotEvent>(run).empty());
}

// What the library handed over in front of an exec goes on in a segment of the tracer's, with the
// same fs context; and what that executes goes back to the library.
TEST_F(Contexts, ExecKeepsTheContextAcrossRecorders) {
  SegmentBuilder first = image(100, 1000);
  first.umask({100, 2000}, mask_change(1, 1, 022, 077));
  first.exec({100, 2500}, exec_in(1, 1), "/usr/bin/static");
  directory_.add(first);
  SegmentBuilder traced = image(100, 2600);
  traced.header().recorder = static_cast<std::uint8_t>(trace::Recorder::tracer);
  traced.create({100, 3000}, creation(1, 0, 077), "traced");
  traced.umask({100, 3500}, mask_change(1, 1, 077, 027));
  traced.exec({100, 3600}, exec_in(1, 1), "/usr/bin/dynamic");
  directory_.add(traced);
  SegmentBuilder last = image(100, 3700);
  last.create({100, 4000}, creation(1, 0, 027), "last");
  directory_.add(last);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(created(run, "traced").mask_set_by, 1u);
  EXPECT_EQ(created(run, "last").mask_set_by, 2u);
  ASSERT_EQ(run.processes().size(), 3u);
  EXPECT_EQ(run.processes()[1].recorder, trace::Recorder::tracer);
  for (const ProcessEvent& process : run.processes()) EXPECT_EQ(process.fs, run.processes()[0].fs);
  EXPECT_TRUE(only<BlindSpotEvent>(run).empty());
  EXPECT_FALSE(run.completeness().hides_creations);
}

// A process that a tracer takes in the middle of its image: both write, of one context.
TEST_F(Contexts, TwoRecordersOfOneImageShareItsContext) {
  SegmentBuilder shim = image(100, 1000);
  shim.umask({100, 2000}, mask_change(1, 1, 022, 077));
  trace::Umask late = mask_change(1, 2, 027, 0);
  late.cached = 077;
  shim.umask({100, 4000, trace::kDrift}, late);
  directory_.add(shim);
  SegmentBuilder traced(100, 2500);
  traced.header().recorder = static_cast<std::uint8_t>(trace::Recorder::tracer);
  trace::Process process{};
  process.pid = 100;
  process.ppid = 1;
  process.origin = static_cast<std::uint8_t>(trace::Origin::exec);
  process.mask_source = static_cast<std::uint8_t>(trace::MaskSource::proc);
  process.mask = 077;
  process.context = 1;
  traced.process({100, 2500}, process, "/usr/bin/app", "app");
  traced.create({100, 2600}, creation(1, 0, 077), "traced");
  traced.umask({100, 3000}, mask_change(1, 1, 077, 027));
  directory_.add(traced);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(created(run, "traced").mask_set_by, 1u);
  const auto changes = only<UmaskEvent>(run);
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_TRUE(changes[2].drift);
  EXPECT_EQ(changes[2].drift_set_by, changes[1].id) << "the tracer saw who";
  EXPECT_EQ(changes[0].fs, changes[1].fs);
  EXPECT_TRUE(only<BlindSpotEvent>(run).empty());
  EXPECT_FALSE(run.completeness().hides_creations) << "no unseen writer";
}

TEST_F(Contexts, TheChainCrossesForkAndTwoExecs) {
  SegmentBuilder shell = image(100, 1000);
  shell.umask({100, 2000}, mask_change(1, 1, 022, 027));
  begin_child(&shell, 200, 2500, 2, 1, 1);
  shell.exec({200, 2600, 0, 200}, exec_in(2, 0), "/usr/bin/env");
  shell.umask({100, 2650}, mask_change(1, 2, 027, 0));
  directory_.add(shell);
  SegmentBuilder env = image(200, 2700);
  env.exec({200, 2800}, exec_in(1, 0), "/usr/bin/app");
  directory_.add(env);
  SegmentBuilder app = image(200, 2900);
  app.create({200, 3000}, creation(1, 0, 027), "file");
  directory_.add(app);
  const ReadRun run = open_or_die(directory_.path());
  const CreateEvent event = created(run, "file");
  EXPECT_EQ(event.mask_set_by, 1u);
  // The child's context, kept through both execs.
  EXPECT_EQ(event.fs, 2u);
}

// CPython's subprocess(umask=) changes the mask in a vfork child, which then execs.
TEST_F(Contexts, AVforkChildsMaskGoesIntoItsImage) {
  SegmentBuilder parent = image(100, 1000);
  parent.umask({100, 1500}, mask_change(1, 1, 022, 002));
  parent.context({200, 2000, 0, 200}, context(2, 1, 1, 200, trace::Origin::vfork));
  trace::Umask change = mask_change(2, 1, 002, 077);
  parent.umask({200, 2100, trace::kForeign, 200}, change);
  parent.exec({200, 2200, trace::kForeign, 200}, exec_in(2, 1), "/usr/bin/tool");
  parent.create({100, 2400}, creation(1, 1, 002), "parent");
  directory_.add(parent);
  SegmentBuilder child = image(200, 2300);
  child.create({200, 2500}, creation(1, 0, 077), "child");
  directory_.add(child);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(created(run, "parent").mask_set_by, 1u);
  EXPECT_EQ(created(run, "child").mask_set_by, 2u);
  const auto changes = only<UmaskEvent>(run);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[1].pid, 200u);
  EXPECT_EQ(changes[1].fs, created(run, "child").fs);
}

TEST_F(Contexts, AVforkChildThatChangedNothingHandsOnItsMakers) {
  SegmentBuilder parent = image(100, 1000);
  parent.umask({100, 1500}, mask_change(1, 1, 022, 002));
  parent.context({200, 2000, 0, 200}, context(2, 1, 1, 200, trace::Origin::vfork));
  directory_.add(parent);
  SegmentBuilder child = image(200, 2300);
  child.create({200, 2500}, creation(1, 0, 002), "child");
  directory_.add(child);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(created(run, "child").mask_set_by, 1u);
}

// posix_spawn: none of our code ran in the child before its exec.
TEST_F(Contexts, ASpawnedImageIsJoinedByItsMakersForkRecord) {
  SegmentBuilder parent = image(100, 1000);
  parent.umask({100, 1500}, mask_change(1, 1, 022, 002));
  parent.fork({100, 2400}, spawned(200, 1));
  parent.umask({100, 2500}, mask_change(1, 2, 002, 0));
  directory_.add(parent);
  SegmentBuilder child = image(200, 2300);  // began before its maker returned
  child.create({200, 2600}, creation(1, 0, 002), "child");
  directory_.add(child);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(created(run, "child").mask_set_by, 1u);
  EXPECT_NE(run.processes()[0].fs, run.processes()[1].fs) << "a copy";
}

TEST_F(Contexts, AProgramKnowsTheStackOfWhatStartedIt) {
  const auto with_stack = [](auto fixed, std::uint32_t stack) {
    fixed.stack = stack;
    return fixed;
  };
  SegmentBuilder shell = image(100, 1000);
  begin_child(&shell, 200, 2500, 2, 1, 0);
  shell.exec({200, 2550, 0, 200}, with_stack(exec_in(2, 0), 4), "/usr/local/bin/tool");
  shell.exec_failed({200, 2560, 0, 200}, 2);
  shell.exec({200, 2600, 0, 200}, with_stack(exec_in(2, 0), 5), "/usr/bin/tool");
  shell.fork({100, 3400}, with_stack(spawned(300, 0), 6));
  shell.create({100, 3500}, with_stack(creation(1, 0, 022), 9), "shell");
  directory_.add(shell);
  SegmentBuilder tool = image(200, 2700);
  tool.create({200, 2800}, with_stack(creation(1, 0, 022), 9), "tool");
  directory_.add(tool);
  SegmentBuilder other = image(300, 3300);
  other.create({300, 3450}, with_stack(creation(1, 0, 022), 9), "spawned");
  directory_.add(other);
  const ReadRun run = open_or_die(directory_.path());
  const auto started = [&](std::string_view name) {
    return run.started(created(run, name).stack.segment);
  };
  const StackRef maker = created(run, "shell").stack;
  EXPECT_EQ(started("tool"), (StackRef{maker.segment, 5}));
  EXPECT_EQ(started("spawned"), (StackRef{maker.segment, 6}));
  EXPECT_EQ(started("shell").id, 0u) << "its begin is not in the run";
  EXPECT_EQ(run.started(99).id, 0u);
  for (const ProcessEvent& process : only<ProcessEvent>(run)) {
    const std::uint32_t wanted = process.origin == trace::Origin::fork || process.pid == 100 ? 0
                                 : process.pid == 200                                        ? 5
                                                                                             : 6;
    EXPECT_EQ(process.started.id, wanted) << process.pid;
  }
}

// clone(2) with CLONE_FS: one context, whose changes each process counts for itself.
TEST_F(Contexts, AProcessThatSharesTheContextIsNamedForItsChange) {
  SegmentBuilder segment = image(100, 1000);
  segment.umask({100, 1500}, mask_change(1, 1, 022, 002));
  trace::Context shared = context(2, 1, 1, 200, trace::Origin::clone_fs);
  shared.mask = 002;
  segment.context({200, 2000, 0, 200}, shared);
  segment.create({200, 2050, 0, 200}, creation(2, 0, 002), "before");
  segment.umask({200, 2100, 0, 200}, mask_change(2, 1, 002, 077));
  segment.umask({200, 2150, 0, 200}, mask_change(2, 2, 077, 027));
  trace::Umask drift = mask_change(1, 2, 027, 027);
  drift.call = 0;  // found by a creation
  drift.cached = 002;
  segment.umask({100, 2200, trace::kDrift}, drift);
  segment.create({100, 2300}, creation(1, 2, 027), "after");
  directory_.add(segment);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(created(run, "before").mask_set_by, 1u);
  EXPECT_EQ(created(run, "before").fs, created(run, "after").fs);
  EXPECT_EQ(created(run, "after").mask_set_by, 3u);
  const auto changes = only<UmaskEvent>(run);
  ASSERT_EQ(changes.size(), 4u);
  EXPECT_EQ(changes[3].drift_set_by, 3u);
  EXPECT_EQ(changes[2].drift_set_by, std::nullopt);
}

TEST_F(Contexts, AMaskThatNobodyInTheSharedContextSetStaysUnseen) {
  SegmentBuilder segment = image(100, 1000);
  segment.context({200, 2000, 0, 200}, context(2, 1, 0, 200, trace::Origin::clone_fs));
  segment.umask({200, 2100, 0, 200}, mask_change(2, 1, 022, 077));
  segment.umask({100, 2200, trace::kDrift}, mask_change(1, 1, 007, 022));
  segment.umask({200, 2300, 0, 200}, mask_change(2, 2, 077, 007));  // later
  directory_.add(segment);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(only<UmaskEvent>(run)[1].drift_set_by, std::nullopt);
}

TEST_F(Contexts, AThreadThatUnsharedHasItsOwn) {
  SegmentBuilder segment = image(100, 1000);
  segment.umask({100, 1500}, mask_change(1, 1, 022, 002));
  segment.context({101, 2000}, context(2, 1, 1, 101, trace::Origin::unshare));
  segment.umask({101, 2100}, mask_change(2, 1, 002, 077));
  segment.create({101, 2200}, creation(2, 1, 077), "own");
  segment.create({100, 2300}, creation(1, 1, 002), "shared");
  segment.exec({101, 2400}, exec_in(2, 1), "/bin/sh");
  directory_.add(segment);
  SegmentBuilder next = image(100, 2500);
  next.create({100, 2600}, creation(1, 0, 077), "after exec");
  directory_.add(next);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(created(run, "own").mask_set_by, 2u);
  EXPECT_EQ(created(run, "shared").mask_set_by, 1u);
  EXPECT_EQ(created(run, "own").pid, 100u);
  EXPECT_EQ(created(run, "after exec").mask_set_by, 2u) << "exec keeps its caller's context";
}

TEST_F(Contexts, AnUnrelatedImageOfAReusedPidInheritsNothing) {
  SegmentBuilder first = image(100, 1000);
  first.umask({100, 2000}, mask_change(1, 1, 022, 077));
  directory_.add(first);
  SegmentBuilder second = image(100, 900000);  // the first one never called exec
  second.create({100, 900100}, creation(1, 0, 022), "other");
  directory_.add(second);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_FALSE(created(run, "other").mask_set_by.has_value());
  EXPECT_NE(run.processes()[0].fs, run.processes()[1].fs);
}

TEST_F(Contexts, AnExecIsContinuedOnce) {
  SegmentBuilder first = image(100, 1000);
  first.umask({100, 2000}, mask_change(1, 1, 022, 077));
  first.exec({100, 2500}, exec_in(1, 1), "/bin/a");
  directory_.add(first);
  directory_.add(image(100, 2600));
  SegmentBuilder reused = image(100, 900000);
  reused.create({100, 900100}, creation(1, 0, 022), "other");
  directory_.add(reused);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_FALSE(created(run, "other").mask_set_by.has_value());
}

TEST_F(Contexts, AFailedExecIsNotContinued) {
  SegmentBuilder first = image(100, 1000);
  first.umask({100, 2000}, mask_change(1, 1, 022, 077));
  first.exec({100, 2500}, exec_in(1, 1), "/bin/nothing");
  first.exec_failed({100, 2600}, 2);
  directory_.add(first);
  SegmentBuilder reused = image(100, 900000);
  reused.create({100, 900100}, creation(1, 0, 022), "other");
  directory_.add(reused);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_FALSE(created(run, "other").mask_set_by.has_value());
}

// A process that nothing recorded but its maker's fork and its own exec had the pid before.
TEST_F(Contexts, WhatAnEarlierProcessOfThatPidLeftIsNotContinued) {
  for (const bool same : {false, true}) {
    const RunDirectory directory;
    SegmentBuilder maker = image_of_age(100, kSecond, 1);
    maker.umask({100, kSecond + 100}, mask_change(1, 1, 022, 077));
    begin_child(&maker, 200, 2 * kSecond, 2, 1, 1);
    maker.exec({200, 3 * kSecond, 0, 200}, exec_in(2, 0), "/usr/bin/static");
    maker.umask({100, 4 * kSecond}, mask_change(1, 2, 077, 002));
    if (!same) maker.fork({100, 5 * kSecond}, spawned(200, 2));
    directory.add(maker);
    SegmentBuilder image = image_of_age(200, 6 * kSecond, same ? 4000 : 1000);
    image.create({200, 7 * kSecond}, creation(1, 0, same ? 077 : 002), "file");
    directory.add(image);
    const ReadRun run = open_or_die(directory.path());
    EXPECT_EQ(created(run, "file").mask_set_by, same ? 1u : 2u);
  }
}

TEST_F(Contexts, TheForkOfAnEarlierProcessOfThatPidIsNotItsOwn) {
  for (const bool same : {false, true}) {
    const RunDirectory directory;
    SegmentBuilder maker = image_of_age(100, kSecond, 1);
    maker.umask({100, kSecond + 100}, mask_change(1, 1, 022, 077));
    maker.fork({100, 2 * kSecond}, spawned(200, 1));
    directory.add(maker);
    SegmentBuilder image = image_of_age(200, 6 * kSecond, same ? 4000 : 1000);
    image.create({200, 7 * kSecond}, creation(1, 0, 022), "file");
    directory.add(image);
    const ReadRun run = open_or_die(directory.path());
    EXPECT_EQ(created(run, "file").mask_set_by.has_value(), same);
  }
}

// Spawned at 2 s, it ran a program that nothing records until 6 s; the next one had its pid soon.
TEST_F(Contexts, TheForkOfALaterProcessOfThatPidIsNotItsOwn) {
  SegmentBuilder maker = image_of_age(100, kSecond, 1);
  maker.umask({100, kSecond + 100}, mask_change(1, 1, 022, 077));
  maker.fork({100, 2 * kSecond}, spawned(200, 1));
  maker.umask({100, 3 * kSecond}, mask_change(1, 2, 077, 002));
  maker.fork({100, 7 * kSecond}, spawned(200, 2));
  directory_.add(maker);
  SegmentBuilder image = image_of_age(200, 6 * kSecond, 4000);
  image.create({200, 6 * kSecond + 100}, creation(1, 0, 077), "file");
  directory_.add(image);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(created(run, "file").mask_set_by, 1u);
}

TEST_F(Contexts, ForgedParentsMakeNoLoop) {
  SegmentBuilder segment(100, 1000);
  segment.context({100, 1000}, context(1, 2, 1, 100, trace::Origin::clone));
  segment.context({100, 1000}, context(2, 1, 1, 100, trace::Origin::clone));
  segment.context({100, 1000}, context(3, 3, 0, 100, trace::Origin::clone));
  segment.context({100, 1000}, context(4000000000, 77, 9, 100, trace::Origin::clone));
  for (const std::uint32_t id : {1u, 2u, 3u, 4000000000u}) {
    segment.create({100, 2000 + id}, creation(id, 0, 022), std::to_string(id));
  }
  directory_.add(segment);
  const ReadRun run = open_or_die(directory_.path());
  for (const CreateEvent& event : only<CreateEvent>(run)) {
    EXPECT_FALSE(event.mask_set_by.has_value());
    EXPECT_NE(event.fs, 0u);
  }
}

TEST_F(Contexts, ALongChainOfForks) {
  SegmentBuilder segment = image(100, 1000);
  segment.umask({100, 1001}, mask_change(1, 1, 022, 077));
  constexpr std::uint32_t kDepth = 20000;
  for (std::uint32_t i = 2; i <= kDepth; ++i) {
    begin_child(&segment, 100 + i, 1000 + i, i, i - 1, i == 2 ? 1 : 0);
  }
  segment.create({1, 90000}, creation(kDepth, 0, 077), "deep");
  directory_.add(segment);
  const ReadRun run = open_or_die(directory_.path());
  EXPECT_EQ(created(run, "deep").mask_set_by, 1u);
}

}  // namespace
}  // namespace umaskaudit::reader

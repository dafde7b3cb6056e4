// Every record type goes through a segment and comes back as the event or table entry it means.
#include <gmock/gmock.h>

#include <cstdio>

#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::reader {
namespace {

using ::testing::ElementsAre;
using testing::events_of;
using testing::only;
using testing::open_or_die;
using testing::ReadRun;
using testing::RunDirectory;
using testing::SegmentBuilder;

trace::ScriptFrame place(std::uint32_t id, std::uint32_t line) {
  trace::ScriptFrame fixed{};
  fixed.id = id;
  fixed.line = line;
  fixed.language = static_cast<std::uint8_t>(trace::Language::shell);
  return fixed;
}

class Records : public ::testing::Test {
 protected:
  Records() { begin_image(&segment_, "app"); }

  ReadRun run() {
    directory_.add(segment_);
    return open_or_die(directory_.path());
  }

  RunDirectory directory_;
  SegmentBuilder segment_{100, 1000};
};

TEST_F(Records, Process) {
  const ReadRun read = run();
  const auto events = only<ProcessEvent>(read);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].seq, 1u);
  EXPECT_EQ(events[0].pid, 100u);
  EXPECT_EQ(events[0].ppid, 1u);
  EXPECT_EQ(events[0].comm, "app");
  EXPECT_EQ(events[0].exe, "/usr/bin/app");
  EXPECT_EQ(events[0].origin, trace::Origin::exec);
  EXPECT_EQ(events[0].mask, 022u);
  EXPECT_EQ(events[0].mask_source, trace::MaskSource::proc);
  EXPECT_EQ(events[0].fs, 1u);
  ASSERT_EQ(read.processes().size(), 1u);
  EXPECT_EQ(read.processes()[0].exe, "/usr/bin/app");
}

TEST_F(Records, Umask) {
  trace::Umask fixed = testing::mask_change(1, 1, 022, 0);
  fixed.argument = 01000;
  fixed.cached = 077;
  fixed.stack = 9;
  segment_.umask({101, 2000, trace::kDrift}, fixed);
  const ReadRun read = run();
  const auto events = only<UmaskEvent>(read);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].time_ns, 2000u);
  EXPECT_EQ(events[0].tid, 101u);
  EXPECT_EQ(events[0].fs, 1u);
  EXPECT_EQ(events[0].call, "umask");
  EXPECT_EQ(events[0].stack, (StackRef{0, 9}));
  EXPECT_EQ(events[0].id, 1u);
  EXPECT_EQ(events[0].change, 1u);
  EXPECT_EQ(events[0].old_mask, 022u);
  EXPECT_EQ(events[0].new_mask, 0u);
  EXPECT_EQ(events[0].argument, 01000u);
  EXPECT_EQ(events[0].cached, 077u);
  EXPECT_TRUE(events[0].drift);
}

TEST_F(Records, Create) {
  const std::string acl(
      "\2\0\0\0\1\0\7\0\377\377\377\377\4\0\5\0\377\377\377\377\40\0\0\0\377\377\377\377", 28);
  trace::Directory parent{};
  parent.id = 1;
  parent.mode = 042755;
  parent.gid = 50;
  parent.fs_type = 0xEF53;
  segment_.directory({100, 1500}, parent, acl);
  segment_.path({100, 1500}, 1, "/home//user/");
  trace::Create fixed = testing::creation(1, 0, 022);
  fixed.base = 1;
  fixed.directory = 1;
  fixed.open_flags = 0101;
  fixed.dev = 3;
  fixed.ino = 4;
  fixed.birth_ns = 5;
  fixed.uid = 6;
  fixed.gid = 7;
  fixed.final_mode = 0100640;
  segment_.create({100, 2000}, fixed, "./a//b");
  const ReadRun read = run();
  const auto events = only<CreateEvent>(read);
  ASSERT_EQ(events.size(), 1u);
  const CreateEvent& event = events[0];
  EXPECT_EQ(event.kind, trace::Kind::file);
  EXPECT_EQ(event.call, "open");
  EXPECT_EQ(event.thread, "app");
  EXPECT_EQ(event.path, "/home//user/a/b");
  EXPECT_EQ(event.path_arg, "./a//b");
  EXPECT_EQ(event.requested, 0666u);
  EXPECT_EQ(event.mask, 022u);
  EXPECT_EQ(event.final_mode, 0640u);
  EXPECT_EQ(event.created, trace::Created::yes);
  EXPECT_FALSE(event.mask_set_by.has_value());
  EXPECT_EQ(event.open_flags, 0101u);
  EXPECT_EQ(event.dev, 3u);
  EXPECT_EQ(event.ino, 4u);
  EXPECT_EQ(event.birth_ns, 5);
  EXPECT_EQ(event.uid, 6u);
  EXPECT_EQ(event.gid, 7u);
  ASSERT_TRUE(event.parent.has_value());
  EXPECT_EQ(event.parent->mode, 02755u);
  EXPECT_EQ(event.parent->gid, 50u);
  EXPECT_EQ(event.parent->fs_type, 0xEF53u);
  ASSERT_TRUE(event.parent->acl.has_value());
  EXPECT_EQ(event.parent->acl->group_obj, 5u);
  ASSERT_FALSE(event.steps.empty());
  EXPECT_EQ(event.steps.back().mode, 0640u);
}

TEST_F(Records, CreateThroughALink) {
  segment_.path({100, 1500}, 1, "/home/user");
  segment_.path({100, 1500}, 2, "/srv/target");
  segment_.path({100, 1500}, 3, "data/target");
  trace::Create fixed = testing::creation(1, 0, 022);
  fixed.base = 1;
  fixed.target = 2;
  segment_.create({100, 2000}, fixed, "link");
  fixed.target = 3;
  segment_.create({100, 2001}, fixed, "link");
  fixed.target = 0;
  segment_.create({100, 2002}, fixed, "plain");
  const ReadRun read = run();
  const auto events = only<CreateEvent>(read);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].path, "/srv/target");
  EXPECT_EQ(events[0].link, "/home/user/link");
  EXPECT_EQ(events[1].path, "/home/user/data/target");
  EXPECT_EQ(events[2].path, "/home/user/plain");
  EXPECT_EQ(events[2].link, "");
}

TEST_F(Records, CreateWithoutAnything) {
  trace::Create fixed{};
  fixed.error = 13;
  fixed.call = 999;
  segment_.create({100, 2000}, fixed, "");
  const ReadRun read = run();
  const auto events = only<CreateEvent>(read);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].error, 13);
  EXPECT_EQ(events[0].fs, 0u);
  EXPECT_EQ(events[0].call, "");
  EXPECT_FALSE(events[0].final_mode.has_value());
  EXPECT_FALSE(events[0].parent.has_value());
}

TEST_F(Records, StackAndModule) {
  trace::Module module{};
  module.id = 1;
  module.base = 0x5500000000;
  module.start = 0x5500001000;
  module.end = 0x5500002000;
  segment_.module({100, 1500}, module, "\x01\xab", "/usr/bin/app");
  trace::Stack stack{};
  stack.id = 1;
  stack.flags = trace::kStackTruncated;
  segment_.stack({100, 1500}, stack,
                 {std::uint64_t{1} << 48 | 0x1234, 0x7fff12345678, std::uint64_t{1} << 48 | 0x99});
  const ReadRun read = run();
  const std::vector<RawFrame> frames = read.stack({0, 1});
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].module, 1u);
  EXPECT_EQ(frames[0].offset, 0x1234u);
  EXPECT_EQ(frames[1].module, 0u);
  EXPECT_EQ(frames[1].offset, 0x7fff12345678u);
  EXPECT_TRUE(read.stack_truncated({0, 1}));
  const ModuleInfo* info = read.module(0, 1);
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->path, "/usr/bin/app");
  EXPECT_EQ(info->build_id, "01ab");
  EXPECT_EQ(info->base, 0x5500000000u);
  EXPECT_EQ(info->start, 0x5500001000u);
  EXPECT_EQ(info->end, 0x5500002000u);

  EXPECT_TRUE(read.stack({0, 0}).empty());
  EXPECT_TRUE(read.stack({0, 2}).empty());
  EXPECT_TRUE(read.stack({1, 1}).empty());
  EXPECT_EQ(read.module(0, 0), nullptr);
  EXPECT_EQ(read.module(0, 4000000000u), nullptr);
  EXPECT_EQ(read.module(1, 1), nullptr);
}

TEST_F(Records, ChmodAndRename) {
  segment_.path({100, 1500}, 1, "/d");
  trace::Chmod chmod{};
  chmod.context = 1;
  chmod.requested = 0600;
  chmod.final_mode = 0100600;
  chmod.dev = 1;
  chmod.ino = 2;
  chmod.base = 1;
  chmod.call = 5;
  chmod.acl = 1;
  segment_.chmod({100, 2000}, chmod, "f");
  segment_.chmod({100, 2001}, chmod, "");
  trace::Rename rename{};
  rename.from_base = 1;
  rename.action = 1;
  rename.call = 6;
  rename.error = 2;
  rename.dev = 3;
  rename.ino = 4;
  segment_.rename({100, 2002}, rename, "x.tmp", "/e/x");
  const ReadRun read = run();
  const auto events = events_of(read);
  const auto chmods = only<ChmodEvent>(events);
  ASSERT_EQ(chmods.size(), 2u);
  EXPECT_EQ(chmods[0].path, "/d/f");
  EXPECT_EQ(chmods[0].call, "chmod");
  EXPECT_EQ(chmods[0].requested, 0600u);
  EXPECT_EQ(chmods[0].final_mode, 0600u);
  EXPECT_EQ(chmods[0].ino, 2u);
  EXPECT_EQ(chmods[0].acl, 1u);
  EXPECT_EQ(chmods[1].path, "");
  const auto renames = only<RenameEvent>(events);
  ASSERT_EQ(renames.size(), 1u);
  EXPECT_EQ(renames[0].from, "/d/x.tmp");
  EXPECT_EQ(renames[0].to, "/e/x");
  EXPECT_EQ(renames[0].action, RenameEvent::Action::renamed);
  EXPECT_EQ(renames[0].error, 2);
  EXPECT_EQ(renames[0].dev, 3u);
  EXPECT_EQ(renames[0].ino, 4u);
}

TEST_F(Records, OnlyAnExchangeExchangesNames) {
  trace::Rename rename{};
  rename.action = 1;
  rename.call = 6;
  std::uint64_t time = 2000;
  for (const unsigned flags :
       {0U, unsigned{RENAME_NOREPLACE}, unsigned{RENAME_WHITEOUT}, unsigned{RENAME_EXCHANGE}}) {
    rename.flags = flags;
    segment_.rename({100, ++time}, rename, "/d/a", "/d/b");
  }
  const ReadRun read = run();
  std::vector<bool> exchanged;
  for (const RenameEvent& event : only<RenameEvent>(events_of(read))) {
    EXPECT_EQ(event.action, RenameEvent::Action::renamed);
    exchanged.push_back(event.exchange);
  }
  EXPECT_EQ(exchanged, (std::vector<bool>{false, false, false, true}));
}

TEST_F(Records, ForkExecAndExecFailed) {
  trace::Fork fork{};
  fork.child = 200;
  fork.context = 1;
  fork.call = 4;
  fork.origin = static_cast<std::uint8_t>(trace::Origin::vfork);
  segment_.fork({100, 2000}, fork);
  trace::Exec exec{};
  exec.context = 1;
  exec.call = 3;
  exec.repaired = 1;
  segment_.exec({100, 2001}, exec, "/bin/nothing");
  segment_.exec_failed({100, 2002}, 2);
  const ReadRun read = run();
  const auto events = events_of(read);
  const auto forks = only<ForkEvent>(events);
  ASSERT_EQ(forks.size(), 1u);
  EXPECT_EQ(forks[0].child, 200u);
  EXPECT_EQ(forks[0].call, "fork");
  EXPECT_EQ(forks[0].origin, trace::Origin::vfork);
  const auto execs = only<ExecEvent>(events);
  ASSERT_EQ(execs.size(), 1u);
  EXPECT_EQ(execs[0].path, "/bin/nothing");
  EXPECT_EQ(execs[0].call, "execve");
  EXPECT_TRUE(execs[0].repaired);
  EXPECT_EQ(execs[0].error, 2);
  EXPECT_TRUE(only<BlindSpotEvent>(events).empty()) << "a failed exec hides nothing";
}

TEST_F(Records, BlindSpotAndNote) {
  trace::BlindSpot spot{};
  spot.reason = static_cast<std::uint16_t>(trace::Blind::deepbind);
  segment_.blind_spot({100, 2000}, spot, "libdeep.so");
  segment_.note({100, 2001}, 0, "phase two");
  const ReadRun read = run();
  const auto events = events_of(read);
  const auto spots = only<BlindSpotEvent>(events);
  ASSERT_EQ(spots.size(), 1u);
  EXPECT_EQ(spots[0].reason, trace::Blind::deepbind);
  EXPECT_EQ(spots[0].text, "libdeep.so");
  const auto notes = only<NoteEvent>(events);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].text, "phase two");
}

TEST_F(Records, ThreadNamesApplyFromTheirTimeOn) {
  trace::Thread thread{};
  thread.context = 1;
  thread.handle = 0x77;
  segment_.note({101, 2000}, 0, "before");
  segment_.thread({101, 2001}, thread, "worker");
  segment_.note({101, 2002}, 0, "as worker");
  segment_.thread({101, 2003}, thread, "a-name-of-16-b.x");
  segment_.note({101, 2004}, 0, "renamed");
  segment_.note({102, 2005}, 0, "nameless");
  const ReadRun read = run();
  const auto notes = only<NoteEvent>(read);
  ASSERT_EQ(notes.size(), 4u);
  EXPECT_EQ(notes[0].thread, "worker") << "events before the first record get its name";
  EXPECT_EQ(notes[1].thread, "worker");
  EXPECT_EQ(notes[2].thread, "a-name-of-16-b.x");
  EXPECT_EQ(notes[3].thread, "app") << "a task without a name has its process's";
}

TEST_F(Records, ThreadCreateMeetsTheThreadItMade) {
  trace::ThreadCreate create{};
  create.handle = 0x77;
  segment_.thread_create({100, 2000}, create);
  trace::Thread thread{};
  thread.handle = 0x77;
  segment_.thread({101, 2010}, thread, "first");
  segment_.thread({101, 2015}, thread, "first+");
  segment_.thread_create({100, 2020}, create);  // the handle again, after a join
  segment_.thread({102, 2030}, thread, "second");
  segment_.thread_create({100, 2040}, create);  // and a thread that never recorded
  // A forked child's threads have the same handles.
  segment_.thread({300, 2050, 0, 300}, thread, "child");
  const ReadRun read = run();
  const auto births = only<ThreadCreateEvent>(read);
  ASSERT_EQ(births.size(), 3u);
  EXPECT_EQ(births[0].created_tid, 101u);
  EXPECT_EQ(births[1].created_tid, 102u);
  EXPECT_EQ(births[2].created_tid, 0u);
}

TEST_F(Records, PadsAndSpanOfTheRun) {
  segment_.pad(512);
  segment_.note({100, 9000}, 0, "last");
  const ReadRun read = run();
  EXPECT_EQ(read.begin_ns(), 1000u);
  EXPECT_EQ(read.end_ns(), 9000u);
  EXPECT_EQ(read.begin_real_ns(), 1700000000000000000u + 1000u);
  EXPECT_EQ(read.completeness().damaged_bytes, 0u);
  EXPECT_EQ(read.completeness().records, 6u);
  EXPECT_TRUE(read.completeness().losses.empty());
}

TEST_F(Records, WalksStopWhenToldAndStartAgain) {
  for (std::uint64_t i = 0; i < 10; ++i) segment_.note({100, 2000 + i}, 0, "n");
  const ReadRun read = run();
  int seen = 0;
  read.for_each([&](const Event&) { return ++seen < 3; });
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(events_of(read).size(), 11u);
  EXPECT_EQ(events_of(read).size(), 11u);
}

TEST_F(Records, SequenceNumbersHaveNoGaps) {
  segment_.note({100, 2000}, 0, "n");
  segment_.header().lost[0] = 3;
  const ReadRun read = run();
  std::vector<std::uint64_t> numbers;
  for (const Event& event : events_of(read)) numbers.push_back(testing::base(event).seq);
  EXPECT_THAT(numbers, ElementsAre(1, 2, 3));
}

TEST_F(Records, ScriptStack) {
  trace::Stack native{};
  native.id = 1;
  segment_.stack({100, 1500}, native, {std::uint64_t{7} << trace::kFrameModuleShift | 0x40});
  trace::ScriptStack stack{};
  stack.id = 2;
  stack.native = 1;
  stack.runtime = 7;
  stack.flags = trace::kStackTruncated | trace::kStackPartial;
  // In front of what it names, as another thread may write it.
  segment_.script_stack({100, 1500}, stack, {4, 5 | trace::kScriptEntry, 99});
  segment_.path({100, 1500}, 3, "build.sh");
  trace::ScriptFrame inner = place(4, 13);
  inner.file = 3;
  inner.flags = trace::kLineOfOther;
  segment_.script_frame({100, 1500}, inner, "g");
  segment_.script_frame({100, 1500}, place(5, 0), "");
  trace::Runtime runtime{};
  runtime.module = 7;
  runtime.language = static_cast<std::uint8_t>(trace::Language::shell);
  runtime.state = static_cast<std::uint16_t>(trace::RuntimeState::unknown_version);
  segment_.runtime({100, 1500}, runtime, "bash 9");
  const ReadRun read = run();
  EXPECT_EQ(read.completeness().total_lost(), 0u);
  const std::optional<ScriptStack> script = read.script({0, 2});
  ASSERT_TRUE(script);
  EXPECT_TRUE(script->truncated);
  EXPECT_TRUE(script->partial);
  EXPECT_EQ(script->language, trace::Language::shell);
  ASSERT_EQ(script->frames.size(), 3u);
  EXPECT_EQ(script->frames[0].function, "g");
  EXPECT_EQ(script->frames[0].file, "build.sh");
  EXPECT_EQ(script->frames[0].line, 13u);
  EXPECT_TRUE(script->frames[0].line_of_other);
  EXPECT_FALSE(script->frames[0].entry);
  EXPECT_EQ(script->frames[1].file, "");
  EXPECT_EQ(script->frames[1].line, 0u);
  EXPECT_TRUE(script->frames[1].entry);
  // Its record was lost: there is a frame, of this language.
  EXPECT_EQ(script->frames[2].function, "");
  EXPECT_EQ(script->frames[2].language, trace::Language::shell);
  ASSERT_EQ(read.stack({0, 2}).size(), 1u);
  EXPECT_EQ(read.stack({0, 2})[0].offset, 0x40u);
  EXPECT_TRUE(read.stack_truncated({0, 2}));
  EXPECT_FALSE(read.stack_truncated({0, 1}));
  ASSERT_EQ(read.runtimes().size(), 1u);
  EXPECT_EQ(read.runtimes()[0].text, "bash 9");
  EXPECT_EQ(read.runtimes()[0].state, trace::RuntimeState::unknown_version);
  EXPECT_EQ(read.runtimes()[0].module, "");
}

// A later record of a module replaces the first one: it adds the evaluator, or says that the layout
// is wrong.
TEST_F(Records, TheLatestRecordOfARuntimeCounts) {
  trace::Runtime runtime{};
  runtime.module = 7;
  runtime.language = static_cast<std::uint8_t>(trace::Language::javascript);
  segment_.runtime({100, 1500}, runtime, "Node.js");
  runtime.evaluator = 0x1000;
  runtime.evaluator_size = 0x200;
  segment_.runtime({100, 1600}, runtime, "Node.js");
  runtime.state = static_cast<std::uint16_t>(trace::RuntimeState::unknown_layout);
  segment_.runtime({100, 1700}, runtime, "Node.js");
  trace::ScriptStack stack{};
  stack.id = 1;
  stack.runtime = 7;
  segment_.script_stack({100, 1800}, stack, {});
  const ReadRun read = run();
  ASSERT_TRUE(read.script({0, 1}));
  EXPECT_EQ(read.script({0, 1})->evaluator, 0x1000u);
  EXPECT_EQ(read.script({0, 1})->evaluator_size, 0x200u);
  ASSERT_EQ(read.runtimes().size(), 1u);
  EXPECT_EQ(read.runtimes()[0].state, trace::RuntimeState::unknown_layout);
}

TEST_F(Records, ScriptStacksThatNameEachOtherHaveNoNativeFrames) {
  trace::ScriptStack stack{};
  for (const auto& [id, native] : {std::pair(1u, 1u), std::pair(2u, 3u), std::pair(3u, 2u)}) {
    stack.id = id;
    stack.native = native;
    segment_.script_stack({100, 1500}, stack, {});
  }
  // A stack of an id that is a script's too is native.
  trace::Stack native{};
  native.id = 4;
  segment_.stack({100, 1500}, native, {0x40});
  stack.id = stack.native = 4;
  segment_.script_stack({100, 1500}, stack, {1});
  const ReadRun read = run();
  for (const std::uint32_t id : {1u, 2u, 3u}) {
    ASSERT_TRUE(read.script({0, id})) << id;
    EXPECT_TRUE(read.stack({0, id}).empty()) << id;
    EXPECT_FALSE(read.stack_truncated({0, id})) << id;
  }
  EXPECT_FALSE(read.script({0, 4}));
  EXPECT_EQ(read.stack({0, 4}).size(), 1u);
  EXPECT_FALSE(read.script({0, 99}));
  EXPECT_FALSE(read.script({9, 1}));
}

TEST_F(Records, ScriptRecordsWhoseLengthsDoNotFitAreMalformed) {
  const auto bytes = [](const auto& fixed) {
    return std::string(reinterpret_cast<const char*>(&fixed), sizeof fixed);
  };
  const auto put = [&](trace::RecordType type, const std::string& payload) {
    segment_.record(static_cast<std::uint16_t>(type), {100, 1500}, payload);
  };
  trace::Runtime runtime{};
  runtime.text_length = UINT32_MAX;
  put(trace::RecordType::runtime, bytes(runtime));
  trace::ScriptFrame frame = place(1, 1);
  frame.function_length = UINT16_MAX;
  put(trace::RecordType::script_frame, bytes(frame));
  trace::ScriptStack stack{};
  stack.id = 1;
  stack.count = UINT16_MAX;
  put(trace::RecordType::script_stack, bytes(stack));
  stack.count = trace::kMaxFrames + 1;  // they are all there
  put(trace::RecordType::script_stack,
      bytes(stack) + std::string(std::size_t{stack.count} * sizeof(std::uint32_t), '\1'));
  put(trace::RecordType::script_stack, bytes(stack).substr(0, 8));
  const ReadRun read = run();
  EXPECT_TRUE(read.runtimes().empty());
  EXPECT_FALSE(read.script({0, 1}));
  EXPECT_EQ(read.completeness().losses.size(), 1u);
}

}  // namespace
}  // namespace umaskaudit::reader

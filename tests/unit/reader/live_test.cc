// A run that grows under the reader: what is committed is told once, whatever came before it.
#include <fcntl.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <cstring>

#include "reporter/reader/live_run.h"
#include "reporter/reader/segment/segment_file.h"
#include "reporter/reader/segment/segment_tail.h"
#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Live : public ::testing::Test {
 protected:
  Live() { begin_image(&segment_, "app"); }

  // Writes what there is of the segment, as if its writer had come so far; the file is longer.
  void write() {
    segment_.header().tail = segment_.size();
    directory_.write(segment_.name(), segment_.bytes() + std::string(4096, '\0'));
  }
  reader::LiveRun& run() {
    if (run_) return *run_;
    auto opened = reader::LiveRun::open(directory_.path());
    if (!opened) std::abort();
    run_ = std::move(*opened);
    return *run_;
  }
  // The notes of one look, and other events by their call.
  std::vector<std::string> look() {
    std::vector<std::string> texts;
    while (run().poll(keep(&texts))) {
    }
    return texts;
  }
  std::vector<std::string> finish() {
    std::vector<std::string> texts;
    run().finish(keep(&texts));
    return texts;
  }
  static reader::LiveRun::Visit keep(std::vector<std::string>* texts) {
    return [texts](const Event& event) {
      if (const auto* note = std::get_if<NoteEvent>(&event)) texts->emplace_back(note->text);
      if (const auto* loss = std::get_if<LossEvent>(&event)) texts->push_back("-" + loss->reason);
      if (const auto* umask = std::get_if<UmaskEvent>(&event))
        texts->push_back("umask " + std::to_string(umask->id));
      if (std::holds_alternative<ThreadCreateEvent>(event)) texts->emplace_back("thread");
      if (const auto* create = std::get_if<CreateEvent>(&event))
        texts->push_back(create->path + " by " + std::to_string(create->mask_set_by.value_or(0)));
    };
  }
  // A record whose writer has reserved it, and commits it when it is called again with `commit`.
  std::string note_bytes(std::string_view text) {
    SegmentBuilder other(100);
    begin_image(&other, "app");
    while (other.size() < segment_.size()) other.pad(32);
    const std::uint64_t offset = other.note({100, 5000}, 0, text);
    return other.bytes().substr(offset);
  }
  void commit_at(std::uint64_t offset, const std::string& record) {
    std::string bytes = segment_.bytes() + std::string(4096, '\0');
    bytes.replace(offset, record.size(), record);
    directory_.write(segment_.name(), bytes);
  }

  RunDirectory directory_;
  SegmentBuilder segment_{100};
  std::unique_ptr<reader::LiveRun> run_;
};

TEST_F(Live, TellsEachRecordOnce) {
  segment_.note({100, 2000}, 0, "one");
  write();
  EXPECT_THAT(look(), ElementsAre("one"));
  EXPECT_THAT(look(), IsEmpty());
  segment_.note({100, 3000}, 0, "two");
  write();
  EXPECT_THAT(look(), ElementsAre("two"));
  EXPECT_THAT(finish(), IsEmpty());
}

TEST_F(Live, DoesNotWaitBehindARecordInFlightAndTellsItWhenItIsCommitted) {
  const std::string late = note_bytes("late");
  const std::uint64_t hole = segment_.unfinished(static_cast<std::uint32_t>(late.size()), true);
  segment_.note({100, 3000}, 0, "behind");
  write();
  EXPECT_THAT(look(), ElementsAre("behind"));
  EXPECT_THAT(look(), IsEmpty());
  commit_at(hole, late);
  EXPECT_THAT(look(), ElementsAre("late"));
  EXPECT_THAT(finish(), IsEmpty());
}

TEST_F(Live, MissesNothingThatIsCommittedWhileItReads) {
  const std::string late = note_bytes("late");
  const std::uint64_t hole = segment_.unfinished(static_cast<std::uint32_t>(late.size()), true);
  segment_.note({100, 5100}, 0, "early");
  write();
  auto directory = std::make_shared<const Descriptor>(
      ::open(directory_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto file = reader::SegmentFile::open(directory, segment_.name());
  ASSERT_TRUE(file);
  reader::SegmentTail tail(hole);
  std::vector<std::uint64_t> told;
  tail.read(file.value().reader(), segment_.size(), 1 << 20, false,
            [&](const reader::Record& record) {
              if (told.empty()) commit_at(hole, late);
              told.push_back(record.offset);
            });
  EXPECT_EQ(told, (std::vector<std::uint64_t>{hole + late.size(), hole}));
}

TEST_F(Live, CountsARecordThatIsNeverCommitted) {
  segment_.unfinished(64, true);
  segment_.note({100, 3000}, 0, "behind");
  write();
  EXPECT_THAT(look(), ElementsAre("behind"));
  EXPECT_THAT(finish(), ElementsAre("-unfinished"));
}

TEST_F(Live, WaitsForTheStackThatAnEventNames) {
  trace::Umask change = mask_change(1, 1, 022, 0);
  change.stack = 7;
  segment_.umask({100, 2000}, change);
  write();
  EXPECT_THAT(look(), IsEmpty());
  segment_.stack({101, 2000}, {7, 0, 0}, {});
  write();
  EXPECT_THAT(look(), ElementsAre("umask 1"));
}

TEST_F(Live, WaitsForAllThatAScriptStackNames) {
  trace::Umask change = mask_change(1, 1, 022, 0);
  change.stack = 8;
  segment_.umask({100, 2000}, change);
  const auto look_again = [&] {
    write();
    return look();
  };
  trace::ScriptStack script{};
  script.id = 8;
  script.native = 7;
  script.runtime = 3;
  segment_.script_stack({101, 2000}, script, {4 | trace::kScriptEntry});
  EXPECT_THAT(look_again(), IsEmpty());
  segment_.stack({101, 2000}, {7, 0, 0}, {});
  EXPECT_THAT(look_again(), IsEmpty());
  trace::ScriptFrame frame{};
  frame.id = 4;
  frame.file = 2;
  segment_.script_frame({101, 2000}, frame, "f");
  EXPECT_THAT(look_again(), IsEmpty());
  segment_.path({101, 2000}, 2, "app.py");
  EXPECT_THAT(look_again(), IsEmpty());
  trace::Runtime runtime{};
  runtime.module = 3;
  segment_.runtime({101, 2000}, runtime, "CPython");
  EXPECT_THAT(look_again(), ElementsAre("umask 1"));
}

TEST_F(Live, WaitsForTheStackThatAThreadWasCreatedIn) {
  trace::ThreadCreate create{};
  create.stack = 7;
  segment_.thread_create({100, 2000}, create);
  write();
  EXPECT_THAT(look(), IsEmpty());
  segment_.stack({101, 2000}, {7, 0, 0}, {});
  write();
  EXPECT_THAT(look(), ElementsAre("thread"));
}

TEST_F(Live, WaitsForThePathThatASymbolicLinkLedTo) {
  trace::Create fixed = creation(1, 0, 0);
  fixed.target = 9;
  segment_.create({100, 2000}, fixed, "/link");
  write();
  EXPECT_THAT(look(), IsEmpty());
  segment_.path({101, 2000}, 9, "/file");
  write();
  EXPECT_THAT(look(), ElementsAre("/file by 0"));
}

TEST_F(Live, WaitsForTheMaskChangesThatACreationSaw) {
  segment_.create({101, 2000}, creation(1, 1, 0), "/f");
  write();
  EXPECT_THAT(look(), IsEmpty());
  segment_.umask({100, 2500}, mask_change(1, 1, 022, 0));
  write();
  EXPECT_THAT(look(), ElementsAre("umask 1", "/f by 1"));
}

TEST_F(Live, WaitsNotForEver) {
  trace::Umask change = mask_change(1, 1, 022, 0);
  change.stack = 7;  // was dropped
  segment_.umask({100, 2000}, change);
  write();
  std::vector<std::string> told;
  for (int i = 0; i < 30 && told.empty(); ++i) told = look();
  EXPECT_THAT(told, ElementsAre("umask 1"));
}

TEST_F(Live, FindsSegmentsThatAppear) {
  write();
  EXPECT_THAT(look(), IsEmpty());
  SegmentBuilder child(200, 4000);
  child.header().tail = 0;
  directory_.write(child.name(), "");  // opened, and not yet filled in
  EXPECT_THAT(look(), IsEmpty());
  begin_image(&child, "child");
  child.note({200, 5000}, 0, "hello");
  child.header().tail = child.size();
  directory_.add(child);
  EXPECT_THAT(look(), ElementsAre("hello"));
}

TEST_F(Live, NamesTheProcessThatSharesTheContextForItsChange) {
  segment_.umask({100, 1500}, mask_change(1, 1, 022, 002));
  trace::Context shared{};
  shared.id = 2;
  shared.parent = 1;
  shared.parent_change = 1;
  shared.owner = 200;
  shared.origin = static_cast<std::uint8_t>(trace::Origin::clone_fs);
  shared.mask = 002;
  segment_.context({200, 2000, 0, 200}, shared);
  segment_.umask({200, 2100, 0, 200}, mask_change(2, 1, 002, 077));
  write();
  EXPECT_THAT(look(), ElementsAre("umask 1", "umask 2"));
  trace::Umask drift = mask_change(1, 2, 077, 077);
  drift.call = 0;  // found by a creation
  segment_.umask({100, 2200, trace::kDrift}, drift);
  segment_.create({100, 2300}, creation(1, 2, 077), "/after");
  write();
  EXPECT_THAT(look(), ElementsAre("umask 3", "/after by 2"));
}

// As Run numbers them: a child that got its id first may write its records last.
TEST_F(Live, NumbersContextsByTheirIdsWhicheverIsCommittedFirst) {
  const auto begin_child = [&](std::uint32_t id, std::uint64_t time_ns) {
    trace::Context forked{};
    forked.id = id;
    forked.parent = 1;
    forked.owner = 100 + id;
    forked.origin = static_cast<std::uint8_t>(trace::Origin::fork);
    segment_.context({100 + id, time_ns, 0, 100 + id}, forked);
    const std::string name = "/of" + std::to_string(id);
    segment_.create({100 + id, time_ns + 1, 0, 100 + id}, creation(id, 0, 0), name);
  };
  std::vector<std::string> told;
  const auto visit = [&](const Event& event) {
    if (const auto* create = std::get_if<CreateEvent>(&event))
      told.push_back(create->path + " in " + std::to_string(create->fs));
  };
  begin_child(3, 2000);
  write();
  run().poll(visit);
  EXPECT_THAT(told, IsEmpty());
  begin_child(2, 2100);
  write();
  run().poll(visit);
  EXPECT_THAT(told, ElementsAre("/of3 in 3", "/of2 in 2"));
  told.clear();
  begin_child(5, 2200);  // the one before it was killed
  write();
  for (int i = 0; i < 30 && told.empty(); ++i) run().poll(visit);
  EXPECT_THAT(told, ElementsAre("/of5 in 4"));
}

TEST_F(Live, KeepsOnlyTheLatestChangesAndStillKnowsTheMask) {
  constexpr std::uint64_t kChanges = 200000;
  for (std::uint64_t i = 1; i <= kChanges; ++i)
    segment_.umask({100, 1000 + i * 10}, mask_change(1, i, i % 2 ? 022 : 0, i % 2 ? 0 : 022));
  segment_.create({101, 1005 + kChanges * 10}, creation(1, kChanges, 022), "/f");
  write();
  const std::vector<std::string> told = look();
  ASSERT_EQ(told.size(), kChanges + 1);
  EXPECT_EQ(told.back(), "/f by " + std::to_string(kChanges));
}

TEST_F(Live, RefusesWhatIsNoRun) {
  const RunDirectory empty;
  EXPECT_FALSE(reader::LiveRun::open(empty.path()));
  EXPECT_FALSE(reader::LiveRun::open(empty.path() + "/none"));
}

}  // namespace
}  // namespace umaskaudit::testing

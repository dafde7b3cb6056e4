// A run that is copied while it grows: the copy is a run, with what was there and nothing torn.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "preload/trace/checksum.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_record.h"
#include "reporter/record/snapshot.h"
#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using trace::ChunkUse;

constexpr std::uint64_t kEndOfFour = trace::kFirstChunk + 3 * trace::kChunk;

std::vector<std::string> notes_of(const ReadRun& run) {
  std::vector<std::string> texts;
  for (const NoteEvent& note : only<NoteEvent>(run)) texts.emplace_back(note.text);
  return texts;
}

class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() {
    begin_image(&segment_, "app");
    trace::RunState state{};
    std::memcpy(state.magic, trace::kMagic, sizeof state.magic);
    state.major = trace::kMajor;
    state.minor = trace::kMinor;
    state.byte_order = trace::kByteOrder;
    state.images = state.segments = 1;
    directory_.write(trace::kRunStateName, {reinterpret_cast<const char*>(&state), sizeof state});
  }
  std::string to() const { return target_.path() + "/copy"; }
  std::string file() const { return to() + "/" + segment_.name(); }

  void copy() {
    const auto target = record::prepare_run_directory(to(), record::EarlierRun::removed);
    ASSERT_TRUE(target) << target.error().why;
    const auto done = record::copy_run(directory_.path(), target->path);
    ASSERT_TRUE(done) << done.error().why;
    EXPECT_EQ(done->segments, 1u);
  }

  SegmentBuilder segment_{100, 1000};
  RunDirectory directory_, target_;
};

TEST_F(SnapshotTest, HasWhatIsThereInPrivateFiles) {
  segment_.note({100, 2000}, 0, "first");
  segment_.seek(trace::kFirstChunk + 3 * trace::kChunk);
  segment_.note({100, 3000}, 0, "last");
  // As a segment is while its image runs.
  directory_.write(segment_.name(), segment_.bytes() + std::string(4 << 20, '\0'));
  record::RunRecord record;
  record.command = "app";
  record.recorder = getpid();
  ASSERT_TRUE(write_run_record(directory_.path(), record));
  copy();
  const ReadRun run = open_or_die(to());
  EXPECT_THAT(notes_of(run), ElementsAre("first", "last"));
  EXPECT_THAT(run.completeness().losses, IsEmpty());
  struct stat facts {};
  ASSERT_EQ(stat(to().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0700u);
  for (const std::string& name : {segment_.name(), std::string(trace::kRunStateName)}) {
    ASSERT_EQ(stat((to() + "/" + name).c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777, 0600u) << name;
  }
  ASSERT_EQ(stat(file().c_str(), &facts), 0);
  EXPECT_LE(facts.st_size, static_cast<off_t>(segment_.size() + 4096)) << "whole pages";
  EXPECT_LT(facts.st_blocks * 512, 256 << 10) << "holes stay holes";
  // No process records into the copy: it may be replaced.
  copy();
  ASSERT_EQ(record::read_run_record(to())->command, "app");
}

TEST_F(SnapshotTest, OfARingHasTheChunksThatAreReadAndItsTotals) {
  segment_.add_ring(kEndOfFour, 4);
  trace::Total total{};
  total.key = 1;
  total.count = 3;
  segment_.total(total);
  segment_.ring().dropped = 3;
  segment_.ring().whole_since_ns = 1500;
  segment_.take_chunk(3, ChunkUse::dropping);
  const std::uint64_t begin = segment_.note({100, 1400}, 0, "counted");
  const std::uint64_t next = segment_.note({100, 1600}, 0, "dropping");
  segment_.entry(3).dropped = static_cast<std::uint32_t>(next - begin);
  segment_.take_chunk(2, ChunkUse::events);
  segment_.note({100, 2000}, 0, "there");
  segment_.take_chunk(1, ChunkUse::empty);
  segment_.note({100, 3000}, 0, "nothing");
  directory_.add(segment_);
  copy();
  const ReadRun run = open_or_die(to());
  EXPECT_THAT(notes_of(run), ElementsAre("dropping", "there"));
  EXPECT_THAT(run.completeness().losses, IsEmpty());
  EXPECT_EQ(run.dropped().whole_since_ns, 1500u);
  EXPECT_EQ(run.dropped().count(), 3u);
}

TEST_F(SnapshotTest, TakesTheTotalsOfASegmentWithoutARing) {
  segment_.add_totals(trace::kFirstChunk);
  trace::Total total{};
  total.key = 1;
  total.count = 3;
  segment_.total(total);
  directory_.add(segment_);
  copy();
  const ReadRun run = open_or_die(to());
  EXPECT_EQ(run.dropped().count(), 3u);
  EXPECT_THAT(run.completeness().losses, IsEmpty());
}

// A writer that takes one chunk after the other, as the shim does: the entry says that a chunk is
// empty before it is zeroed, and has a new turn before it has records.
class Writer {
 public:
  Writer(const std::string& path, std::uint64_t ring, std::uint32_t chunks) : chunks_(chunks) {
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    struct stat facts {};
    fstat(fd, &facts);
    size_ = static_cast<std::size_t>(facts.st_size);
    base_ = static_cast<unsigned char*>(
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    close(fd);
    ring_ = ring;
  }
  ~Writer() { munmap(base_, size_); }

  void take_next() {
    chunk_ = chunk_ % (chunks_ - 1) + 1;
    const std::uint64_t begin = trace::kFirstChunk + (chunk_ - 1) * trace::kChunk;
    set_word(ChunkUse::dropping);
    reinterpret_cast<std::atomic<std::uint64_t>*>(base_ + ring_ + 40)->fetch_add(kRecords);
    set_word(ChunkUse::empty);
    std::memset(base_ + begin, 0, trace::kChunk);
    ++turn_;
    set_word(ChunkUse::events);
    for (std::uint64_t i = 0; i < kRecords; ++i) note(begin + i * kLength);
  }

 private:
  static constexpr std::uint64_t kLength = 4096;
  static constexpr std::uint64_t kRecords = trace::kChunk / kLength;

  void set_word(ChunkUse use) {
    std::atomic_ref<std::uint64_t> word(
        *reinterpret_cast<std::uint64_t*>(base_ + ring_ + 64 + 16 * chunk_));
    const std::uint64_t turn = use == ChunkUse::events ? turn_ : word.load() >> 8;
    word.store(turn << 8 | static_cast<std::uint64_t>(use), std::memory_order_release);
  }
  void note(std::uint64_t offset) {
    alignas(8) unsigned char bytes[kLength] = {};
    trace::RecordHeader head{};
    head.length = kLength;
    head.type = static_cast<std::uint16_t>(trace::RecordType::note);
    head.time_ns = ++time_;
    head.tid = head.pid = 100;
    std::memcpy(bytes, &head, sizeof head);
    const std::uint32_t commit = trace::record_checksum(bytes, kLength, offset);
    std::memcpy(base_ + offset + 4, bytes + 4, kLength - 4);
    std::atomic_ref<std::uint32_t>(*reinterpret_cast<std::uint32_t*>(base_ + offset))
        .store(commit, std::memory_order_release);
  }

  unsigned char* base_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t ring_ = 0;
  std::uint32_t chunks_, chunk_ = 0;
  std::uint64_t turn_ = 10, time_ = 5000;
};

TEST_F(SnapshotTest, OfARunThatGoesOnHasNothingTorn) {
  segment_.add_ring(kEndOfFour, 4);
  directory_.add(segment_);
  std::atomic<bool> over = false;
  std::thread writer([&] {
    Writer records(directory_.path() + "/" + segment_.name(), kEndOfFour, 4);
    while (!over.load()) records.take_next();
  });
  std::size_t most = 0;
  for (int i = 0; i < 200 || most == 0; ++i) {
    copy();
    const ReadRun copied = open_or_die(to());
    EXPECT_THAT(copied.completeness().losses, IsEmpty()) << "a chunk was zeroed meanwhile";
    const ReadRun live = open_or_die(directory_.path());
    EXPECT_EQ(live.completeness().damaged_bytes, 0u);
    const auto notes = only<NoteEvent>(copied);
    most = std::max(most, notes.size());
    for (std::size_t n = 1; n < notes.size(); ++n)
      EXPECT_LT(notes[n - 1].time_ns, notes[n].time_ns);
    if (HasFailure()) break;
  }
  over.store(true);
  writer.join();
}

}  // namespace
}  // namespace umaskaudit::testing

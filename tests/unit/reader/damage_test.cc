// Torn, flipped and cut segments: every committed record outside the damage is recovered.
#include <fcntl.h>
#include <gmock/gmock.h>

#include <cstring>

#include "reporter/reader/segment/scanner.h"
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

// Four notes behind the image's records; `offsets` are where they begin, then the file's size.
struct Sample {
  SegmentBuilder segment{100, 1000};
  std::vector<std::uint64_t> offsets;
  Sample() {
    begin_image(&segment, "app");
    for (int i = 0; i < 4; ++i) {
      const std::string text = "note number " + std::to_string(i);
      offsets.push_back(segment.note({100, 2000u + static_cast<unsigned>(i)}, 0, text));
    }
    offsets.push_back(segment.size());
  }
};

std::vector<std::string> notes_of(const Run& run) {
  std::vector<std::string> texts;
  for (const NoteEvent& note : only<NoteEvent>(run)) texts.emplace_back(note.text);
  return texts;
}

std::vector<std::string> notes_but(int lost) {
  std::vector<std::string> texts;
  for (int i = 0; i < 4; ++i) {
    if (i != lost) texts.push_back("note number " + std::to_string(i));
  }
  return texts;
}

TEST(Damage, TruncationAtEveryByteKeepsAllRecordsBefore) {
  const Sample sample;
  const RunDirectory directory;
  const std::string whole = sample.segment.bytes();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    directory.write("1-1.seg", whole.substr(0, size));
    const Result<ReadRun> run = ReadRun::open(directory.path());
    const bool any_record = size >= sizeof(trace::SegmentHeader);
    ASSERT_EQ(static_cast<bool>(run), any_record) << size;
    if (!run) continue;
    std::size_t expected = 0;
    while (expected < 4 && sample.offsets[expected + 1] <= size) ++expected;
    ASSERT_EQ(notes_of(run.value()).size(), expected) << "cut at " << size;
  }
}

TEST(Damage, AFlippedBitCostsOneRecordAtMost) {
  const Sample sample;
  const RunDirectory directory;
  const std::string whole = sample.segment.bytes();
  for (std::size_t at = sizeof(trace::SegmentHeader); at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      directory.write("1-1.seg", flipped);
      const ReadRun run = open_or_die(directory.path());
      int lost = -1;
      for (int i = 0; i < 4; ++i) {
        const auto n = static_cast<std::size_t>(i);
        if (at >= sample.offsets[n] && at < sample.offsets[n + 1]) lost = i;
      }
      ASSERT_EQ(notes_of(run), notes_but(lost)) << "byte " << at << " bit " << bit;
      const Completeness& all = run.completeness();
      // A commit word with one bit set turns into "not committed"; all others are damage.
      ASSERT_EQ(all.damages + all.unfinished, 1u) << "byte " << at << " bit " << bit;
      ASSERT_EQ(all.records, 7u) << "byte " << at << " bit " << bit;
      ASSERT_FALSE(all.losses.empty());
    }
  }
}

TEST(Damage, AFlippedBitInTheHeaderCostsNoRecord) {
  const Sample sample;
  const RunDirectory directory;
  const std::string whole = sample.segment.bytes();
  for (std::size_t at = 0; at < sizeof(trace::SegmentHeader); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = whole;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << bit));
      directory.write("1-1.seg", flipped);
      const Result<ReadRun> run = ReadRun::open(directory.path());
      // Another major number is another format, even if it is damage that made it so.
      if (at == offsetof(trace::SegmentHeader, major) ||
          at == offsetof(trace::SegmentHeader, major) + 1) {
        ASSERT_FALSE(run) << "byte " << at;
        continue;
      }
      ASSERT_TRUE(run) << "byte " << at << " bit " << bit;
      ASSERT_EQ(notes_of(run.value()), notes_but(-1)) << "byte " << at << " bit " << bit;
    }
  }
}

TEST(Damage, IsCountedAndWorded) {
  Sample sample;
  std::string bytes = sample.segment.bytes();
  bytes[sample.offsets[1] + 40] = '!';
  const RunDirectory directory;
  directory.write("1-1.seg", bytes);
  const ReadRun run = open_or_die(directory.path());
  const Completeness& all = run.completeness();
  EXPECT_EQ(all.damages, 1u);
  EXPECT_EQ(all.damaged_bytes, sample.offsets[2] - sample.offsets[1]);
  EXPECT_EQ(all.unfinished, 0u);
  EXPECT_EQ(all.total_lost(), 1u);
  ASSERT_EQ(all.losses.size(), 1u);
  EXPECT_EQ(all.losses[0].reason, "damaged");
  EXPECT_EQ(all.losses[0].count, all.damaged_bytes);
  const auto told = only<LossEvent>(run);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].reason, "damaged");
}

TEST(Damage, ARecordInsideAnotherOneIsNotBelieved) {
  SegmentBuilder inner(100, 1000);
  inner.note({100, 1500}, 0, "smuggled");
  const std::string copy = inner.bytes().substr(sizeof(trace::SegmentHeader));
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  const std::uint64_t at = segment.note({100, 2000}, 0, copy);
  segment.note({100, 2001}, 0, "after");
  std::string bytes = segment.bytes();
  bytes[at + 8] ^= 1;  // the outer record is damaged, so its inside is searched
  const RunDirectory directory;
  directory.write("1-1.seg", bytes);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_THAT(notes_of(run), ElementsAre("after"));
}

TEST(Damage, UnfinishedRecordsAreNotDamage) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.unfinished(160, true);
  segment.note({100, 2000}, 0, "one");
  segment.unfinished(96, false);
  segment.note({100, 2001}, 0, "two");
  segment.unfinished(128, true);
  segment.unfinished(64, true);
  segment.note({100, 2002}, 0, "three");
  segment.unfinished(128, true);
  segment.zeros(5000);
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_THAT(notes_of(run), ElementsAre("one", "two", "three"));
  EXPECT_EQ(run.completeness().unfinished, 5u);
  EXPECT_EQ(run.completeness().damages, 0u);
  EXPECT_EQ(run.completeness().damaged_bytes, 0u);
}

TEST(Damage, AnUnfinishedRecordWithoutItsLengthMayHoldBytes) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  const std::uint64_t at = segment.unfinished(96, false);
  segment.note({100, 2000}, 0, "after");
  std::string bytes = segment.bytes();
  bytes.replace(at + 40, 11, "half a path");
  const RunDirectory directory;
  directory.write("1-1.seg", bytes);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_THAT(notes_of(run), ElementsAre("after"));
  EXPECT_EQ(run.completeness().unfinished, 1u);
  EXPECT_EQ(run.completeness().damages, 0u);
}

TEST(Damage, ChunkEndsAreNeitherDamageNorUnfinished) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  // 40 KB records leave a hole at the end of each chunk.
  const std::string text(40000, 'x');
  for (unsigned i = 0; i < 40; ++i) segment.note({100, 2000 + i}, 0, text);
  ASSERT_GT(segment.size(), 5u * 256 * 1024);
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(notes_of(run).size(), 40u);
  EXPECT_EQ(run.completeness().unfinished, 0u);
  EXPECT_EQ(run.completeness().damages, 0u);
}

// Space that a writer gave up because it crossed a border may reach into the next chunk.
TEST(Damage, AGapAcrossAChunkBorderIsNormal) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  while (segment.size() < 65000) segment.note({100, 2000}, 0, "filler");
  segment.zeros(65536 + 512 - segment.size());
  segment.note({100, 3000}, 0, "after");
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(notes_of(run).back(), "after");
  EXPECT_EQ(run.completeness().unfinished, 0u);
  EXPECT_EQ(run.completeness().damages, 0u);
}

TEST(Damage, DamageBehindAChunkEndIsDamage) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  while (segment.size() < 65000) segment.note({100, 2000}, 0, "filler");
  segment.zeros(65536 - segment.size());
  const std::uint64_t at = segment.note({100, 3000}, 0, "flipped");
  segment.note({100, 3001}, 0, "after");
  std::string bytes = segment.bytes();
  bytes[at + 42] ^= 4;
  const RunDirectory directory;
  directory.write("1-1.seg", bytes);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(notes_of(run).back(), "after");
  EXPECT_EQ(run.completeness().unfinished, 0u);
  EXPECT_EQ(run.completeness().damages, 1u);
}

TEST(Damage, DamageBehindAnUnfinishedRecordIsBoth) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.unfinished(96, false);
  const std::uint64_t at = segment.note({100, 3000}, 0, "flipped");
  segment.note({100, 3001}, 0, "after");
  std::string bytes = segment.bytes();
  bytes[at + 42] ^= 4;
  const RunDirectory directory;
  directory.write("1-1.seg", bytes);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_THAT(notes_of(run), ElementsAre("after"));
  EXPECT_EQ(run.completeness().unfinished, 1u);
  EXPECT_EQ(run.completeness().damages, 1u);
  EXPECT_EQ(run.completeness().damaged_bytes, 48u);
}

// Every eight bytes claim to be a record of 64 KiB: the search must not take them all at their
// word.
TEST(Damage, HostileLengthsDoNotMakeTheSearchQuadratic) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  std::string bytes = segment.bytes();
  const std::uint32_t words[2] = {0x12345678, trace::kMaxRecord};
  std::string claim(sizeof words, '\0');
  std::memcpy(claim.data(), words, sizeof words);
  for (int i = 0; i < 1 << 20; ++i) bytes += claim;  // 8 MiB: 8 GiB of checksums if believed
  const RunDirectory directory;
  directory.write("1-1.seg", bytes);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(run.completeness().records, 4u);
  EXPECT_GT(run.completeness().damaged_bytes, 8000000u);

  const auto where = std::make_shared<const Descriptor>(
      ::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto file = reader::SegmentFile::open(where, "1-1.seg");
  ASSERT_TRUE(file);
  const reader::SegmentFile::Reader reader = file.value().reader();
  reader::Scanner scanner(reader, sizeof(trace::SegmentHeader));
  reader::Record record;
  while (scanner.next(&record)) continue;
  EXPECT_LT(scanner.result().searched, 32 * bytes.size());
}

TEST(Damage, RecordsTooShortForTheirTypeAreCounted) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  for (std::uint16_t type = 1; type <= 18; ++type) segment.record(type, {100, 2000}, "");
  segment.note({100, 2001}, 0, "after");
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(events_of(run).size(), 3u) << "process, note, loss";
  ASSERT_EQ(run.completeness().losses.size(), 1u);
  EXPECT_EQ(run.completeness().losses[0].reason, "malformed");
  EXPECT_EQ(run.completeness().losses[0].count, 18u);
}

// Lengths inside a record that point past its end give an empty text, never foreign bytes.
TEST(Damage, InnerLengthsStayInsideTheRecord) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  const auto with_length = [](std::uint32_t stack, std::uint32_t length) {
    const trace::Note fixed{stack, length};
    std::string payload(sizeof fixed, '\0');
    std::memcpy(payload.data(), &fixed, sizeof fixed);
    return payload + "12345678";
  };
  const auto note = static_cast<std::uint16_t>(trace::RecordType::note);
  segment.record(note, {100, 2000}, with_length(0, 8));
  segment.record(note, {100, 2001}, with_length(0, 9));
  segment.record(note, {100, 2002}, with_length(0, 0xFFFFFFFF));
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_THAT(notes_of(run), ElementsAre("12345678", "", ""));
}

}  // namespace
}  // namespace umaskaudit::reader

// A segment may be long and nearly empty: what is read and held follows the data, not the length.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "tests/unit/reader/run_helpers.h"

namespace umaskaudit::reader {
namespace {

using testing::only;
using testing::open_or_die;
using testing::ReadRun;
using testing::RunDirectory;
using testing::SegmentBuilder;

// Bytes that this process has read(2) so far; proc(5), field rchar.
std::uint64_t bytes_read() {
  std::ifstream io("/proc/self/io");
  std::string name;
  std::uint64_t count = 0;
  io >> name >> count;
  return count;
}

std::uint64_t peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss);
}

TEST(Sparse, QuarterOfAGigabyteWithAFewRecords) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.note({100, 2000}, 0, "near the start");
  const RunDirectory directory;
  directory.add(segment);
  const std::string path = directory.path() + "/" + segment.name();
  ASSERT_EQ(::truncate(path.c_str(), 256 << 20), 0);
  struct stat facts {};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  if (facts.st_blocks * 512 > 1 << 20) GTEST_SKIP() << "this filesystem keeps no holes";

  const std::uint64_t read_before = bytes_read();
  const std::uint64_t peak_before = peak_kib();
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(only<NoteEvent>(run).size(), 1u);
  EXPECT_EQ(run.completeness().damages, 0u);
  EXPECT_LT(bytes_read() - read_before, 2u << 20);
  EXPECT_LT(peak_kib() - peak_before, 8u << 10);
}

TEST(Sparse, RecordsBehindAHoleAreFound) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  segment.zeros((64u << 20) - segment.size());
  segment.note({100, 2000}, 0, "far out");
  const std::string bytes = segment.bytes();
  const RunDirectory directory;
  directory.write("1-1.seg", bytes.substr(0, 4096));
  const std::string path = directory.path() + "/1-1.seg";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const std::string tail = bytes.substr(64 << 20);
  ASSERT_EQ(::pwrite(fd, tail.data(), tail.size(), 64 << 20), static_cast<ssize_t>(tail.size()));
  ::close(fd);
  const std::uint64_t read_before = bytes_read();
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(only<NoteEvent>(run).size(), 1u);
  EXPECT_EQ(run.completeness().unfinished, 0u);
  EXPECT_LT(bytes_read() - read_before, 2u << 20);
}

TEST(Sparse, AFileThatShrinksAfterOpeningIsNoCrash) {
  SegmentBuilder segment(100, 1000);
  begin_image(&segment, "app");
  for (unsigned i = 0; i < 40000; ++i) segment.note({100, 2000 + i}, 0, "some words");
  const RunDirectory directory;
  directory.add(segment);
  const ReadRun run = open_or_die(directory.path());
  const std::string path = directory.path() + "/" + segment.name();
  std::size_t seen = 0;
  run.for_each([&](const Event&) {
    if (++seen == 10) {
      EXPECT_EQ(::truncate(path.c_str(), 4096), 0);
    }
    return true;
  });
  EXPECT_GE(seen, 10u);
  EXPECT_LE(seen, 40001u);
  ASSERT_EQ(::unlink(path.c_str()), 0);
  std::size_t later = 0;
  run.for_each([&](const Event&) { return ++later > 0; });
  EXPECT_EQ(later, 0u) << "gone: nothing to read, no crash";
}

// More segments than descriptors: none stays open.
TEST(Sparse, TwoThousandSegmentsUnderALowDescriptorLimit) {
  const RunDirectory directory;
  for (std::uint32_t pid = 1; pid <= 2000; ++pid) {
    SegmentBuilder segment(pid, 1000);
    begin_image(&segment, "app");
    directory.add(segment);
  }
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
  const rlimit low{16, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const ReadRun run = open_or_die(directory.path());
  EXPECT_EQ(only<ProcessEvent>(run).size(), 2000u);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &old), 0);
}

}  // namespace
}  // namespace umaskaudit::reader

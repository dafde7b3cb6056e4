// Which maps of generated code are kept with a run.
#include "reporter/record/code_maps.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "reporter/inspect/proc_status.h"

namespace umaskaudit::record {
namespace {

namespace fs = std::filesystem;

class KeepCodeMaps : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/umaskaudit-maps.XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    top_ = name;
    fs::create_directory(run());
    fs::create_directory(from());
    std::ofstream(run() / "4999999-00000d24a09e651f.seg");
  }
  void TearDown() override { fs::remove_all(top_); }

  fs::path run() const { return top_ / "run"; }
  fs::path from() const { return top_ / "tmp"; }
  fs::path kept() const { return run() / "perf-4999999.map"; }
  fs::path map(const std::string& text, const std::string& name = "perf-4999999.map") const {
    std::ofstream(from() / name) << text;
    return from() / name;
  }
  void keep(std::uint64_t begin_real_ns = 0) const {
    keep_code_maps(run().string(), begin_real_ns, from().string());
  }
  std::string kept_text() const {
    std::ostringstream text;
    text << std::ifstream(kept()).rdbuf();
    return text.str();
  }

  fs::path top_;
};

TEST_F(KeepCodeMaps, OfProcessesOfTheRun) {
  map("10 5 name\n");
  map("10 5 other\n", "perf-4999998.map");
  const mode_t before = umask(0);
  keep();
  umask(before);
  EXPECT_EQ(kept_text(), "10 5 name\n");
  struct stat facts {};
  ASSERT_EQ(stat(kept().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0600U);
  EXPECT_FALSE(fs::exists(run() / "perf-4999998.map"));
}

TEST_F(KeepCodeMaps, AnEarlierProcesssIsNotTaken) {
  const fs::path file = map("10 5 name\n");
  const timespec old[2] = {{1000, 0}, {1000, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), old, 0), 0);
  keep(std::uint64_t{1001} * 1'000'000'000);
  EXPECT_FALSE(fs::exists(kept()));
  keep(std::uint64_t{1000} * 1'000'000'000 + 999);
  EXPECT_TRUE(fs::exists(kept()));
}

// As of a process that is recorded from some point on, while it runs.
TEST_F(KeepCodeMaps, AnEarlierProcessWhoseNumberIsUsedAgain) {
  const std::string own = std::to_string(getpid());
  const auto start = inspect::start_of_process(own);
  ASSERT_TRUE(start.has_value());
  const auto seconds = static_cast<time_t>(*start / 1'000'000'000);
  std::ofstream(run() / (own + "-00000d24a09e651f.seg"));
  const fs::path file = map("10 5 name\n", "perf-" + own + ".map");
  const fs::path taken = run() / ("perf-" + own + ".map");
  const timespec before[2] = {{seconds - 2, 0}, {seconds - 2, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), before, 0), 0);
  keep();
  EXPECT_FALSE(fs::exists(taken));
  const timespec after[2] = {{seconds + 1, 0}, {seconds + 1, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, file.c_str(), after, 0), 0);
  keep();
  EXPECT_TRUE(fs::exists(taken));
}

TEST_F(KeepCodeMaps, NoLinkAndNoPipe) {
  fs::create_symlink("/etc/passwd", from() / "perf-4999999.map");
  keep();
  EXPECT_FALSE(fs::exists(kept()));
  fs::remove(from() / "perf-4999999.map");
  ASSERT_EQ(mkfifo((from() / "perf-4999999.map").c_str(), 0600), 0);
  keep();  // and does not wait for a writer
  EXPECT_FALSE(fs::exists(kept()));
}

TEST_F(KeepCodeMaps, NotAnotherUsers) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(chown(map("10 5 name\n").c_str(), 65534, 65534), 0);
  keep();
  EXPECT_FALSE(fs::exists(kept()));
}

TEST_F(KeepCodeMaps, NotOneThatNeverEnds) {
  const fs::path file = map("10 5 name\n");
  ASSERT_EQ(truncate(file.c_str(), (off_t{64} << 20) + 1), 0);
  keep();
  EXPECT_FALSE(fs::exists(kept()));
}

}  // namespace
}  // namespace umaskaudit::record

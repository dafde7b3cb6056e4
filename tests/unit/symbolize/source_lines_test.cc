// Lines of sources: read where the file is one, and harmless where it is not.
#include "reporter/symbolize/source_lines.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace umaskaudit::symbolize {
namespace {

using State = SourceLine::State;

class Sources : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/umaskaudit-sources-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string put(const std::string& name, const std::string& text) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  static Frame at(const std::string& file, std::uint32_t line) {
    Frame frame;
    frame.file = file;
    frame.line = line;
    return frame;
  }
  // The line where the time at which the run began is not known.
  static SourceLine line(const std::string& file, std::uint32_t number) {
    SourceLines lines("", "", 0, 0);
    return lines.line(at(file, number));
  }

  std::string folder_;
};

TEST_F(Sources, ALineIsWhereItIs) {
  const std::string file = put("a.cc", "one\n  two\r\n\nlast");
  EXPECT_EQ(line(file, 1).text, "one");
  EXPECT_EQ(line(file, 2).text, "  two");
  EXPECT_EQ(line(file, 3).state, State::unknown) << "nothing to show";
  EXPECT_EQ(line(file, 4).text, "last");
  EXPECT_EQ(line(file, 5).state, State::unknown);
  EXPECT_EQ(line(file, 0).state, State::unknown);
  EXPECT_EQ(line(folder_ + "/none.cc", 1).state, State::unknown);
}

TEST_F(Sources, OnlySourcesAreShown) {
  put("secret", "key\n");
  EXPECT_EQ(line(folder_ + "/secret", 1).state, State::unknown);
  ASSERT_EQ(symlink("secret", (folder_ + "/app.py").c_str()), 0);
  EXPECT_EQ(line(folder_ + "/app.py", 1).state, State::unknown) << "its real name counts";
  EXPECT_EQ(line(put("deploy", "#!/bin/sh\numask 0\n"), 2).text, "umask 0");
  EXPECT_EQ(line(put(".c", "hidden\n"), 1).state, State::unknown);
}

TEST_F(Sources, NothingElseIsOpened) {
  const std::string fifo = folder_ + "/fifo.cc";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(line(fifo, 1).state, State::unknown);
  std::filesystem::create_directory(folder_ + "/dir.cc");
  EXPECT_EQ(line(folder_ + "/dir.cc", 1).state, State::unknown);
  ASSERT_EQ(symlink("/dev/zero", (folder_ + "/zero.cc").c_str()), 0);
  EXPECT_EQ(line(folder_ + "/zero.cc", 1).state, State::unknown);
}

TEST_F(Sources, LongLinesAreCutAndLongFilesLeftAlone) {
  EXPECT_LE(line(put("long.js", std::string(1 << 20, 'x')), 1).text.size(), std::size_t{4096});
  EXPECT_EQ(line(put("huge.js", std::string(10 << 20, 'x')), 1).state, State::unknown);
}

TEST_F(Sources, ANewerFileIsNotShown) {
  const std::string file = put("a.cc", "one\n");
  struct stat facts {};
  ASSERT_EQ(stat(file.c_str(), &facts), 0);
  const std::uint64_t changed = static_cast<std::uint64_t>(facts.st_mtim.tv_sec) * 1000000000 +
                                static_cast<std::uint64_t>(facts.st_mtim.tv_nsec);
  SourceLines before("", "", changed - 2, changed - 1), during("", "", changed - 1, changed),
      after("", "", changed, changed + 1);
  EXPECT_EQ(during.line(at(file, 1)).state, State::known);
  EXPECT_EQ(during.line(at(file, 1)).written_real_ns, changed);
  EXPECT_EQ(after.line(at(file, 1)).written_real_ns, 0U);
  EXPECT_EQ(before.line(at(file, 1)).state, State::changed);
  EXPECT_EQ(before.line(at(file, 1)).text, "");
  EXPECT_EQ(after.line(at(file, 1)).text, "one");
}

TEST_F(Sources, AScriptIsLookedUpFromWhereTheRunBegan) {
  put("build.sh", "umask 0\n");
  Frame frame = at("build.sh", 1);
  SourceLines lines("", folder_, 0, 0);
  EXPECT_EQ(lines.line(frame).state, State::unknown) << "a compiler's own folder is not known";
  frame.script = true;
  EXPECT_EQ(lines.line(frame).text, "umask 0");
  SourceLines below(folder_, "/", 0, 0);
  EXPECT_EQ(below.line(at("/build.sh", 1)).text, "umask 0");
}

}  // namespace
}  // namespace umaskaudit::symbolize

// Lines of compressed files, whole, cut off and hostile.
#include "reporter/base/zstd_lines.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zstd.h>

#include <cstdlib>
#include <fstream>
#include <vector>

namespace umaskaudit {
namespace {

class ZstdLines : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/lines-XXXXXX";
    const int fd = mkstemp(path_.data());
    ASSERT_GE(fd, 0);
    close(fd);
  }
  void TearDown() override { unlink(path_.c_str()); }

  static std::string compressed(const std::string& text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
  }
  void write(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  Status read() {
    lines_.clear();
    return for_each_zstd_line(path_, [&](std::string_view line) {
      lines_.emplace_back(line);
      return true;
    });
  }

  std::string path_;
  std::vector<std::string> lines_;
};

TEST_F(ZstdLines, ComeWholeAndInOrder) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i) + '\n';
  write(compressed(text));
  ASSERT_TRUE(read());
  ASSERT_EQ(lines_.size(), 100000U);
  EXPECT_EQ(lines_[77777], "77777");
}

TEST_F(ZstdLines, OfSeveralFrames) {
  write(compressed("a\nb") + compressed("c\n") + compressed("last"));
  ASSERT_TRUE(read());
  EXPECT_EQ(lines_, (std::vector<std::string>{"a", "bc", "last"}));
}

TEST_F(ZstdLines, OfNothing) {
  write(compressed(""));
  EXPECT_TRUE(read());
  EXPECT_TRUE(lines_.empty());
}

TEST_F(ZstdLines, WhatIsCutOffIsAnError) {
  const std::string whole = compressed("first\nsecond\n" + std::string(100000, 'x') + '\n');
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write(whole.substr(0, length));
    EXPECT_FALSE(read()) << length;
  }
}

TEST_F(ZstdLines, WhatIsNotCompressedIsAnError) {
  write("plain\ntext\n");
  EXPECT_FALSE(read());
  unlink(path_.c_str());
  EXPECT_FALSE(read());
}

TEST_F(ZstdLines, ALineWithoutEndIsRefused) {
  write(compressed(std::string(64 << 20, 'x')));
  const Status status = read();
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().why.find("16 MiB"), std::string::npos);
}

TEST_F(ZstdLines, StopWhenAsked) {
  write(compressed("a\nb\nc\n"));
  int count = 0;
  EXPECT_TRUE(for_each_zstd_line(path_, [&](std::string_view) { return ++count < 2; }));
  EXPECT_EQ(count, 2);
}

}  // namespace
}  // namespace umaskaudit

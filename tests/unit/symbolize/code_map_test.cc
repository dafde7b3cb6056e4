// Maps of generated code: as runtimes write them, and malformed ones.
#include "reporter/symbolize/code_map.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <string>

namespace umaskaudit::symbolize {
namespace {

TEST(CodeMap, NamesAnAddressOfEachFunction) {
  const CodeMap map = CodeMap::parse("7f00 10 first\n0x7f20 20 void [app] B::M(int32)\n");
  EXPECT_EQ(map.at(0x7eff), "");
  EXPECT_EQ(map.at(0x7f00), "first");
  EXPECT_EQ(map.at(0x7f0f), "first");
  EXPECT_EQ(map.at(0x7f10), "");
  EXPECT_EQ(map.at(0x7f3f), "void [app] B::M(int32)");
  EXPECT_EQ(map.at(0x7f40), "");
}

TEST(CodeMap, LaterCodeReplacesWhatWasThere) {
  const CodeMap map = CodeMap::parse("100 100 old\n200 10 beside\n150 20 new\n1f0 11 last\n");
  EXPECT_EQ(map.at(0x100), "");  // overwritten in part: its length is not known
  EXPECT_EQ(map.at(0x150), "new");
  EXPECT_EQ(map.at(0x1f0), "last");
  EXPECT_EQ(map.at(0x205), "");
}

TEST(CodeMap, LeavesOutWhatIsNoLine) {
  const CodeMap map = CodeMap::parse(
      "\n#comment\n10\n10 \n10 5\n10 5 \n10 0 empty\nxyz 5 name\n-1 5 name\n"
      "ffffffffffffffff 2 wraps\n11112222333344445 5 toolong\n20  4   spaces\n30 4 cut");
  EXPECT_EQ(map.at(0x10), "");
  EXPECT_EQ(map.at(UINT64_MAX), "");
  EXPECT_EQ(map.at(0x20), "spaces");
  EXPECT_EQ(map.at(0x33), "cut");
}

TEST(CodeMap, TakesNoMoreThanItMust) {
  std::string text;
  for (int i = 0; i < (1 << 20) + 2; ++i) {
    char line[32];
    std::snprintf(line, sizeof line, "%x0 1 a\n", i);
    text += line;
  }
  const CodeMap map = CodeMap::parse(text);
  EXPECT_EQ(map.at(std::uint64_t{(1 << 20) - 1} << 4), "a");
  EXPECT_EQ(map.at(std::uint64_t{1 << 20} << 4), "");
}

TEST(CodeMap, IsEmptyWithoutAFile) {
  EXPECT_EQ(CodeMap::read("/dev/null").at(1), "");
  EXPECT_EQ(CodeMap::read("/nowhere/perf-1.map").at(1), "");
}

}  // namespace
}  // namespace umaskaudit::symbolize

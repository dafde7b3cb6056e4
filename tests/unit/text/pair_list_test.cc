// Lists of pairs as the OTEL_... variables hold them.
#include "reporter/text/pair_list.h"

#include <gtest/gtest.h>

namespace umaskaudit {
namespace {

TEST(PairList, PairsBlanksAndEmptyPlaces) {
  EXPECT_EQ(parse_pairs(""), PairList{});
  EXPECT_EQ(parse_pairs(" , ,"), PairList{});
  EXPECT_EQ(parse_pairs("a=1"), (PairList{{"a", "1"}}));
  EXPECT_EQ(parse_pairs(" a = 1 ,b=,c=x=y"), (PairList{{"a", "1"}, {"b", ""}, {"c", "x=y"}}));
}

TEST(PairList, BytesByTheirNumber) {
  EXPECT_EQ(parse_pairs("a%3d=Bearer%20x%2C"), (PairList{{"a=", "Bearer x,"}}));
  EXPECT_EQ(parse_pairs("a=%00%ff"), (PairList{{"a", std::string("\0\xff", 2)}}));
}

TEST(PairList, AllOrNothing) {
  for (const char* wrong : {"a", "=1", "a=1,b", "a=%", "a=%4", "a=%4x", "%zz=1", "%=1"})
    EXPECT_EQ(parse_pairs(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace umaskaudit

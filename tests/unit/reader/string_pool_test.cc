// One copy of each string, at one address, for as long as the pool lives.
#include "reporter/reader/segment/string_pool.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace umaskaudit::reader {
namespace {

TEST(StringPool, EqualStringsShareOneCopy) {
  StringPool pool;
  const std::string text = "/var/lib/app/file";
  const std::string_view first = pool.intern(text);
  EXPECT_EQ(first, text);
  EXPECT_NE(first.data(), text.data());
  EXPECT_EQ(pool.intern(std::string(text)).data(), first.data());
  EXPECT_NE(pool.intern("/var/lib/app/fil").data(), first.data());
}

TEST(StringPool, StringsStayWhereTheyAre) {
  StringPool pool;
  std::vector<std::string_view> views;
  views.reserve(100000);
  for (int i = 0; i < 100000; ++i) views.push_back(pool.intern("name " + std::to_string(i)));
  for (int i = 0; i < 100000; ++i) {
    ASSERT_EQ(views[static_cast<std::size_t>(i)], "name " + std::to_string(i));
    ASSERT_EQ(pool.intern("name " + std::to_string(i)).data(),
              views[static_cast<std::size_t>(i)].data());
  }
}

TEST(StringPool, AnyBytesAndAnyLength) {
  StringPool pool;
  EXPECT_TRUE(pool.intern("").empty());
  const std::string zeros(9, '\0');
  const std::string fewer(8, '\0');
  EXPECT_EQ(pool.intern(zeros).size(), 9u);
  EXPECT_EQ(pool.intern(fewer).size(), 8u);
  const std::string large(200000, 'x');
  EXPECT_EQ(pool.intern(large), large);
  EXPECT_EQ(pool.intern("after"), "after");
}

}  // namespace
}  // namespace umaskaudit::reader

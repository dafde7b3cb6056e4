// Names and patterns of the live log. A name that cannot be demangled must stay as it is. Run by
// meson.

#include <gtest/gtest.h>

#include <fnmatch.h>

#include <cstring>
#include <string>
#include <vector>

#include "preload/log/line_choice.h"

namespace umaskaudit::shim {

namespace {

TEST(Patterns, MatchAsFnmatchDoes) {
  for (const char* pattern : {"", "*", "?", "a", "a*", "*a", "*a*b", "/srv/*", "*.key", "a?c", "**",
                              "a*a*a*b", "*/out/49?"}) {
    for (const char* path : {"", "a", "b", "abc", "/srv/x/y.key", "/srv", "aaaaaaaaaaaaaaaaaaaac",
                             "aXaXaXb", "/tmp/out/490", "/tmp/out/49"}) {
      EXPECT_EQ(matches(pattern, path, static_cast<std::uint32_t>(strlen(path))),
                fnmatch(pattern, path, 0) == 0)
          << pattern << ' ' << path;
    }
  }
}

TEST(Repeats, GetALineEverMoreSeldom) {
  std::vector<std::uint64_t> told;
  for (std::uint64_t times = 1; times <= 2000; ++times)
    if (is_told(times)) told.push_back(times);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{1, 10, 100, 1000}));
}

}  // namespace

}  // namespace umaskaudit::shim

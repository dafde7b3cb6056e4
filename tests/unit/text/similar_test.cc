// Finds the names that are nearest to a misspelt one.
#include "reporter/text/similar.h"

#include <fnmatch.h>
#include <gtest/gtest.h>

namespace umaskaudit {
namespace {

TEST(Similar, TheNearestName) {
  EXPECT_EQ(most_similar("repotr", {"rules", "report"}), "report");
  EXPECT_EQ(most_similar("xyzzy", {"rules", "report"}), "");
}

// The number of edits is 0 exactly for the names that fnmatch(3) matches.
TEST(GlobEdits, NoneWhereTheGlobMatches) {
  for (const char* glob :
       {"*", "", "a*c", "a?c", "*/b", "a[xy]c", "a\\*c", "abc", "[", "a[b", "**"})
    for (const char* text : {"", "abc", "axc", "a/b", "a*c", "ac", "[", "a[b", "x"}) {
      if (fnmatch(glob, text, 0) == 0) {
        EXPECT_EQ(glob_edits(glob, text, 9), 0u) << glob << ' ' << text;
      } else if (std::string_view(glob).find('[') == std::string_view::npos) {
        EXPECT_GT(glob_edits(glob, text, 9), 0u) << glob << ' ' << text;
      }
    }
}

TEST(GlobEdits, CountsWhatIsWrong) {
  EXPECT_EQ(glob_edits("/srv/sesion*", "/srv/session.tok", 2), 1u);
  EXPECT_EQ(glob_edits("*.kye", "/srv/id.key", 2), 2u);
  EXPECT_EQ(glob_edits("abc", "abd", 2), 1u);
  EXPECT_EQ(glob_edits("abcdef", "uvwxyz", 2), 3u) << "more than two";
}

}  // namespace
}  // namespace umaskaudit

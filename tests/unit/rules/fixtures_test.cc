// Each file of fixtures/ is a run in a few lines and the whole list of findings it must give.
// A finding that no line expects fails the test, and so does a line without its finding.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "tests/unit/rules/fixture.h"

namespace umaskaudit::testing {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> fixture_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(FIXTURES_DIR))
    if (entry.path().extension() == ".run") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

class Fixtures : public ::testing::TestWithParam<std::string> {};

TEST_P(Fixtures, GivesExactlyTheExpectedFindings) {
  const Fixture fixture = Fixture::load(GetParam());
  ASSERT_EQ(fixture.error(), "");
  std::vector<std::string> hits;
  const rules::FindResult result = fixture.find({}, &hits);
  EXPECT_THAT(fixture.describe(result.findings),
              ::testing::UnorderedElementsAreArray(fixture.expected_findings()));
  if (!fixture.expected_hits().empty()) {
    EXPECT_THAT(hits, ::testing::ElementsAreArray(fixture.expected_hits()));
  }
  std::string messages;
  for (const rules::Finding& finding : result.findings) messages += finding.message + '\n';
  for (const std::string& words : fixture.expected_words())
    EXPECT_THAT(messages, ::testing::HasSubstr(words));
  for (const rules::Finding& finding : result.findings) {
    EXPECT_EQ(finding.fingerprint.size(), 16U);
    EXPECT_NE(finding.message, "");
  }
}

std::string test_name(const ::testing::TestParamInfo<std::string>& info) {
  return fs::path(info.param).stem().string();
}

INSTANTIATE_TEST_SUITE_P(All, Fixtures, ::testing::ValuesIn(fixture_files()), test_name);

}  // namespace
}  // namespace umaskaudit::testing

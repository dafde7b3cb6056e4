// Which job the environment names.
#include "reporter/record/ci_job.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <initializer_list>
#include <utility>

namespace umaskaudit::record {
namespace {

CiJob job_in(std::initializer_list<std::pair<const char*, const char*>> variables) {
  clearenv();
  for (const auto& [name, value] : variables) setenv(name, value, 1);
  return ci_job();
}

TEST(CiJob, NoneIsKnown) { EXPECT_EQ(job_in({{"HOME", "/"}, {"CI", "true"}}), CiJob{}); }

TEST(CiJob, Github) {
  EXPECT_EQ(job_in({{"GITHUB_ACTIONS", "true"},
                    {"GITHUB_SHA", "abc"},
                    {"GITHUB_JOB", "build"},
                    {"GITHUB_SERVER_URL", "https://ci.example"},
                    {"GITHUB_REPOSITORY", "o/r"},
                    {"GITHUB_RUN_ID", "9"}}),
            (CiJob{"github", "build", "https://ci.example/o/r/actions/runs/9", "abc"}));
  EXPECT_EQ(job_in({{"GITHUB_ACTIONS", "true"}, {"GITHUB_SHA", "abc"}}),
            (CiJob{"github", "", "", "abc"}));
}

TEST(CiJob, Gitlab) {
  EXPECT_EQ(job_in({{"GITLAB_CI", "true"},
                    {"CI_COMMIT_SHA", "def"},
                    {"CI_JOB_ID", "12"},
                    {"CI_JOB_URL", "https://ci.example/12"}}),
            (CiJob{"gitlab", "12", "https://ci.example/12", "def"}));
}

}  // namespace
}  // namespace umaskaudit::record

// The variable names are those that these systems document.
#include "reporter/record/ci_job.h"

#include <cstdlib>

namespace umaskaudit::record {
namespace {

struct System {
  const char* name;
  const char* sign;  // set by this system
  const char *revision, *job, *url;
};

constexpr System kSystems[] = {
    {"github", "GITHUB_ACTIONS", "GITHUB_SHA", "GITHUB_JOB", nullptr},
    {"gitlab", "GITLAB_CI", "CI_COMMIT_SHA", "CI_JOB_ID", "CI_JOB_URL"},
    {"jenkins", "JENKINS_URL", "GIT_COMMIT", "BUILD_TAG", "BUILD_URL"},
    {"buildkite", "BUILDKITE", "BUILDKITE_COMMIT", "BUILDKITE_JOB_ID", "BUILDKITE_BUILD_URL"},
    {"circleci", "CIRCLECI", "CIRCLE_SHA1", "CIRCLE_BUILD_NUM", "CIRCLE_BUILD_URL"},
    {"azure", "TF_BUILD", "BUILD_SOURCEVERSION", "BUILD_BUILDID", nullptr},
    {"travis", "TRAVIS", "TRAVIS_COMMIT", "TRAVIS_JOB_ID", "TRAVIS_JOB_WEB_URL"},
    {"drone", "DRONE", "DRONE_COMMIT_SHA", "DRONE_BUILD_NUMBER", "DRONE_BUILD_LINK"},
};

std::string variable(const char* name) {
  const char* value = name != nullptr ? std::getenv(name) : nullptr;
  return value != nullptr ? value : "";
}

// GitHub has no variable for the URL.
std::string github_url() {
  const std::string server = variable("GITHUB_SERVER_URL");
  const std::string repository = variable("GITHUB_REPOSITORY");
  const std::string run = variable("GITHUB_RUN_ID");
  if (server.empty() || repository.empty() || run.empty()) return "";
  return server + '/' + repository + "/actions/runs/" + run;
}

}  // namespace

CiJob ci_job() {
  for (const System& system : kSystems) {
    if (variable(system.sign).empty()) continue;
    const std::string url = system.url != nullptr ? variable(system.url) : "";
    const bool github = system.name == kSystems[0].name;
    return {system.name, variable(system.job), github ? github_url() : url,
            variable(system.revision)};
  }
  return {};
}

}  // namespace umaskaudit::record

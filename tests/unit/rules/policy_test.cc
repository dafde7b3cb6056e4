// The policy file: what it accepts, where it says a mistake is, and what it finds.
#include <gmock/gmock.h>

#include "reporter/rules/policy.h"
#include "tests/unit/rules/fixture.h"

namespace umaskaudit::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kPolicy[] = R"toml(# ours
[[path]]
glob = "/srv/app/public/*"
widest = 0o644

[[path]]
glob = "/srv/app/*"
kinds = ["file", "socket"]
widest = "0640"
mask = "0027"
reason = "customer data"

[[call]]
name = "creat*"
glob = "/srv/*"
reason = "use app_create()"

[secrets]
names = ["*.cookie"]
)toml";

Error error_of(const std::string& text) {
  const Result<rules::Policy> policy = rules::parse_policy(text, "p.toml");
  EXPECT_FALSE(policy) << text;
  return policy ? Error{} : policy.error();
}

TEST(PolicyFile, IsRead) {
  const Result<rules::Policy> policy = rules::parse_policy(kPolicy, "p.toml");
  ASSERT_TRUE(policy);
  ASSERT_EQ(policy->paths.size(), 2U);
  EXPECT_EQ(policy->paths[0].widest, 0644U);
  EXPECT_EQ(policy->paths[0].line, 2U);
  EXPECT_EQ(policy->paths[1].mask, 027U);
  EXPECT_EQ(policy->paths[1].kinds.size(), 2U);
  ASSERT_EQ(policy->calls.size(), 1U);
  EXPECT_EQ(policy->secret_names, std::vector<std::string>{"*.cookie"});
}

TEST(PolicyFile, MistakesNameLineAndColumn) {
  struct Case {
    const char* text;
    const char* place;
    const char* why;
  };
  const Case cases[] = {
      {"[=]\n", "p.toml:1:2", "key"},
      {"[[\xc3\xa4]]\n", "p.toml:1:3", "key"},
      {"[[path]]\nglob = \"/a\nwidest = \"0640\"\n", "p.toml:2:", ""},
      {"[[path]]\nglob = \"/a\"\nwidest = 640\n", "p.toml:3:10", "octal"},
      {"[[path]]\nglob = \"/a\"\nwidest = \"0648\"\n", "p.toml:3:10", "octal"},
      {"[[path]]\nglob = \"/a\"\nwidest = \"17777\"\n", "p.toml:3:10", "octal"},
      {"[[path]]\nglob = \"/a\"\nmask = \"1777\"\n", "p.toml:3:8", "octal"},
      {"[[path]]\nglob = 3\nwidest = \"0640\"\n", "p.toml:2:8", "string"},
      {"[[path]]\nwidest = \"0640\"\n", "p.toml:1:", "needs a glob"},
      {"[[path]]\nglob = \"/a\"\n", "p.toml:1:", "widest or mask"},
      {"[[path]]\nglob = \"/a\"\nwidets = \"0640\"\n", "p.toml:3:1", "unknown key 'widets'"},
      {"[[path]]\nglob = \"/a\"\nkinds = [\"flie\"]\nwidest = \"0640\"\n", "p.toml:3:", "'flie'"},
      {"[[call]]\nreason = \"x\"\n", "p.toml:1:", "needs a name"},
      {"path = 3\n", "p.toml:1:8", "[[path]]"},
      {"[paths]\n", "p.toml:1:", "unknown key 'paths'"},
  };
  for (const Case& wrong : cases) {
    const Error error = error_of(wrong.text);
    EXPECT_THAT(error.what, HasSubstr(wrong.place)) << wrong.text;
    EXPECT_THAT(error.why, HasSubstr(wrong.why)) << wrong.text;
    EXPECT_EQ(error.code, ExitCode::usage);
  }
}

TEST(PolicyFile, MissingFileIsAUsageError) {
  const Result<rules::Policy> policy = rules::read_policy("/nonexistent/p.toml");
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().code, ExitCode::usage);
}

TEST(PolicyCheck, JudgesTheEndByEveryName) {
  const Result<rules::Policy> policy = rules::parse_policy(
      "[[path]]\nglob = \"/srv/public/*\"\nwidest = \"0644\"\n"
      "[[path]]\nglob = \"*/secrets.json\"\nwidest = \"0600\"\n"
      "[[path]]\nglob = \"/srv/stage/*\"\nwidest = \"0600\"\n",
      "p.toml");
  ASSERT_TRUE(policy);
  rules::FindOptions options;
  options.policy = &*policy;
  const Fixture fixture = Fixture::parse(
      "process exec app 0022\n"
      "create file /etc/tmp1 0600 ino 5 at make_temp\n"
      "chmod /etc/tmp1 0640 ino 5 at widen\n"
      "rename /etc/tmp1 /etc/secrets.json ino 5\n"
      // The present name of the object counts before its earlier one.
      "create file /srv/stage/page 0600 ino 6 at stage\n"
      "chmod /srv/stage/page 0644 ino 6 at publish\n"
      "rename /srv/stage/page /srv/public/page ino 6\n"
      // Below a directory that was renamed.
      "create dir /srv/stage.new 0700 ino 7 at make_dir\n"
      "create file /srv/stage.new/x 0644 at write\n"
      "rename /srv/stage.new /srv/stage ino 7\n"
      // Execute bits of a socket have no effect.
      "create socket /srv/stage/sock 0710 final 0710 at bind\n");
  ASSERT_EQ(fixture.error(), "");
  const rules::FindResult result = fixture.find(options);
  EXPECT_THAT(fixture.describe(result.findings),
              ::testing::UnorderedElementsAre(
                  "policy-mode error end count=1 culprit=widen victim=make_temp",
                  "policy-mode error count=1 culprit=write victim=write"));
  for (const rules::Finding& finding : result.findings) {
    if (finding.subject == "/srv/stage/*") {
      EXPECT_THAT(finding.message,
                  HasSubstr("'/srv/stage.new/x', later '/srv/stage/x', has mode 0644, the widest"));
    }
    if (finding.subject != "*/secrets.json") continue;
    EXPECT_EQ(finding.message,
              "'/etc/secrets.json' has mode 0640 at the end, the widest allowed for "
              "'*/secrets.json' is 0600: the group may read; thread 'main' (1) changed it by chmod "
              "(policy line 4)");
  }
}

TEST(PolicyCheck, FindsWhatIsTooWideTooWeakOrForbidden) {
  const Result<rules::Policy> policy = rules::parse_policy(kPolicy, "p.toml");
  ASSERT_TRUE(policy);
  rules::FindOptions options;
  options.policy = &*policy;
  const Fixture fixture = Fixture::parse(
      "process exec app 0022\n"
      "create file /srv/app/data 0666 at write\n"
      "create file /srv/app/public/page 0666 at write\n"
      "create dir /srv/app/dir 0777 at make\n"
      "create file /srv/app/tight 0600 at write_tight\n"
      "create file /srv/other 0644 call creat at old_style\n"
      "create file /srv/app/there 0666 created no at write\n"
      "create file /srv/session.cookie 0666 at write_cookie\n");
  ASSERT_EQ(fixture.error(), "");
  std::vector<std::string> hits;
  const rules::FindResult result = fixture.find(options, &hits);
  EXPECT_THAT(fixture.describe(result.findings),
              ::testing::UnorderedElementsAre(
                  "policy-mode error count=1 culprit=write victim=write",
                  "policy-mask error count=2 culprit=write victim=write",
                  "policy-mask error count=1 culprit=write_tight victim=write_tight",
                  "policy-call error count=1 culprit=old_style",
                  "secret-readable error count=1 culprit=write_cookie victim=write_cookie"));
  for (const rules::Finding& finding : result.findings) {
    if (finding.rule != rules::RuleId::policy_mode) continue;
    EXPECT_EQ(finding.message,
              "'/srv/app/data' has mode 0644, the widest allowed for '/srv/app/*' is 0640: others "
              "may read; requested 0666; umask takes 0022: 0644 (policy line 6: customer data)");
  }
}

}  // namespace
}  // namespace umaskaudit::testing

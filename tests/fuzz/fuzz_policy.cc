// Feeds bytes to the reader of policy files: it refuses them with a place and a reason, or what it
// read keeps to the ranges of policy.h. A libFuzzer target.
#include "reporter/rules/policy.h"
#include "tests/fuzz/require.h"

namespace umaskaudit {
namespace {

using testing::require;

void check(const rules::Policy& policy) {
  for (const rules::PathRule& rule : policy.paths) {
    require(rule.line != 0, "a row has a line");
    require(rule.widest.value_or(0) <= 07777, "modes have twelve bits");
    require(rule.mask.value_or(0) <= 0777, "masks have nine bits");
    for (const trace::Kind kind : rule.kinds) {
      require(kind_name(kind) != std::string("unknown"), "kinds are known ones");
    }
    rule.applies("/srv/app/file", trace::Kind::file);
  }
  for (const rules::CallRule& rule : policy.calls) require(rule.line != 0, "a row has a line");
}

}  // namespace
}  // namespace umaskaudit

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t length) {
  using umaskaudit::testing::require;
  const std::string_view text(reinterpret_cast<const char*>(bytes), length);
  const auto policy = umaskaudit::rules::parse_policy(text, "policy.toml");
  if (policy) {
    umaskaudit::check(*policy);
  } else {
    require(policy.error().what.starts_with("policy.toml:"), "an error has a place");
    require(!policy.error().why.empty(), "an error has a reason");
    require(policy.error().code == umaskaudit::ExitCode::usage, "it is the user's mistake");
  }
  return 0;
}

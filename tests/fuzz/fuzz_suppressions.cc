// Feeds bytes to the reader of suppressions: it refuses them with a place and a reason, or each
// line has a rule, a glob and a reason, and counts what it hides. A libFuzzer target.
#include "reporter/rules/suppressions.h"
#include "tests/fuzz/require.h"

namespace umaskaudit {
namespace {

using testing::require;

constexpr char kToday[] = "2026-01-01";

void check(rules::Suppressions& suppressions) {
  std::uint32_t last = 0;
  for (const rules::Suppression& line : suppressions.lines()) {
    require(line.line > last, "lines come in their order");
    last = line.line;
    require(!line.rule.empty() && !line.glob.empty(), "a line has a rule and a glob");
    require(!line.reason.empty(), "a line has a reason");
    require(line.until.empty() || line.until.size() == 10, "an end is a date");
    require(!line.expired || line.until < kToday, "only what has ended is expired");
  }
  const std::string names[] = {"/srv/app/file"};
  std::uint64_t hidden = suppressions.hides(rules::RuleId::umask_zero, names);
  rules::Finding finding;
  finding.rule = rules::RuleId::window_overlap;
  suppressions.apply(finding, {"", "main"});
  if (!finding.suppressed_by.empty()) ++hidden;
  std::uint64_t hits = 0;
  for (const rules::Suppression& line : suppressions.lines()) hits += line.hits;
  require(hits == hidden, "each hit is counted once");
  const auto complaints = suppressions.complaints([](const rules::Suppression&) { return true; });
  require(complaints.size() <= suppressions.lines().size(), "a complaint a line");
}

}  // namespace
}  // namespace umaskaudit

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t length) {
  using umaskaudit::testing::require;
  const std::string_view text(reinterpret_cast<const char*>(bytes), length);
  auto parsed = umaskaudit::rules::Suppressions::parse(text, "list", umaskaudit::kToday);
  if (parsed) {
    umaskaudit::check(*parsed);
  } else {
    require(parsed.error().what.starts_with("list:"), "an error has a place");
    require(!parsed.error().why.empty(), "an error has a reason");
    require(parsed.error().code == umaskaudit::ExitCode::usage, "it is the user's mistake");
  }
  return 0;
}

// The baseline file. See baseline.h.
#include "reporter/rules/baseline.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "reporter/base/text_file.h"

namespace umaskaudit {
namespace {

constexpr char kTool[] = "umaskaudit";
constexpr int kVersion = 1;

Error bad(const std::string& name, std::string why) {
  return {"bad baseline '" + name + "'", std::move(why),
          "umaskaudit check RUN --write-baseline " + name, ExitCode::usage};
}

}  // namespace

Result<Baseline> Baseline::parse(std::string_view text, const std::string& name) {
  const auto document = nlohmann::json::parse(text, nullptr, false);
  if (document.is_discarded()) return bad(name, "not JSON");
  // Members that are not there compare unequal, as null; types are compared too.
  const auto member = [&](const char* key) {
    return document.is_object() && document.contains(key) ? document[key] : nlohmann::json();
  };
  if (member("tool") != kTool) return bad(name, "not written by umaskaudit");
  if (member("version") != kVersion) return bad(name, "version 1 is the only one known");
  const nlohmann::json findings = member("findings");
  if (!findings.is_array()) return bad(name, "no findings array");
  Baseline baseline;
  for (const auto& entry : findings) {
    const auto text_of = [&](const char* key) {
      return entry.is_object() && entry.contains(key) ? entry[key].get_ptr<const std::string*>()
                                                      : nullptr;
    };
    const std::string* print = text_of("fingerprint");
    if (print == nullptr) return bad(name, "a finding without a fingerprint");
    const std::string* rule = text_of("rule");
    baseline.rules_[*print] = rule != nullptr && find_rule(*rule) != nullptr ? *rule : "";
  }
  return baseline;
}

Result<Baseline> Baseline::read(const std::string& file) {
  Result<std::string> text = rules::read_text_file(file, "baseline");
  if (!text) return text.error();
  return parse(*text, file);
}

std::vector<KnownFinding> Baseline::apply(std::vector<Finding>& findings) const {
  std::map<std::string, std::string> gone = rules_;
  for (Finding& finding : findings) {
    // A baseline of the second version has a finding for each caller and each that was hit.
    const std::vector<std::string>& parts = finding.older_prints;
    const bool known =
        rules_.contains(finding.fingerprint) ||
        (!parts.empty() && std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
          return rules_.contains(part);
        }));
    finding.baseline = known ? BaselineState::unchanged : BaselineState::fresh;
    gone.erase(finding.fingerprint);
    for (const std::string& part : parts) gone.erase(part);
  }
  std::vector<KnownFinding> list;
  list.reserve(gone.size());
  for (const auto& [print, rule] : gone) list.push_back({print, rule});
  return list;
}

void write_baseline(std::ostream& out, const std::vector<Finding>& findings) {
  std::map<std::string, const char*> sorted;
  for (const Finding& finding : findings)
    if (finding.suppressed_by.empty()) sorted[finding.fingerprint] = finding.info().id;
  auto list = nlohmann::ordered_json::array();
  for (const auto& [print, rule] : sorted)
    list.push_back(nlohmann::ordered_json{{"fingerprint", print}, {"rule", rule}});
  const nlohmann::ordered_json document = {
      {"tool", kTool}, {"version", kVersion}, {"findings", std::move(list)}};
  out << document.dump(2) << '\n';
}

}  // namespace umaskaudit

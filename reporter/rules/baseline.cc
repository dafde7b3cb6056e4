#include "reporter/rules/baseline.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <utility>

#include "reporter/base/text_file.h"

namespace umaskaudit::rules {
namespace {

constexpr char kTool[] = "umaskaudit";
constexpr int kVersion = 2;

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
  // Version 1 had fingerprints of the second or the third version, and their rules.
  const nlohmann::json version = member("version");
  if (version != 1 && version != kVersion)
    return bad(name, "versions 1 and 2 are the only ones known");
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
    KnownFinding known{*print, ""};
    known.of_first_version = version == 1;
    if (const std::string* rule = text_of("rule"); rule != nullptr && find_rule(*rule) != nullptr)
      known.rule = *rule;
    if (const std::string* date = text_of("first_seen"); date != nullptr) known.first_seen = *date;
    const auto take_prints = [&](const char* key, std::vector<std::string>& to) {
      if (!entry.contains(key) || !entry[key].is_array()) return;
      for (const auto& one : entry[key])
        if (one.is_string()) to.push_back(one.template get<std::string>());
    };
    take_prints("source_fingerprints", known.source_prints);
    take_prints("code_fingerprints", known.code_prints);
    baseline.entries_.push_back(std::move(known));
  }
  std::stable_sort(
      baseline.entries_.begin(), baseline.entries_.end(),
      [](const KnownFinding& a, const KnownFinding& b) { return a.fingerprint < b.fingerprint; });
  for (std::size_t i = 0; i < baseline.entries_.size(); ++i) {
    baseline.by_print_.emplace(baseline.entries_[i].fingerprint, i);
    for (const auto* prints :
         {&baseline.entries_[i].source_prints, &baseline.entries_[i].code_prints})
      for (const std::string& print : *prints) baseline.by_print_.emplace(print, i);
  }
  return baseline;
}

Result<Baseline> Baseline::read(const std::string& file) {
  Result<std::string> text = read_text_file(file, "baseline");
  if (!text) return text.error();
  return parse(*text, file);
}

// Another version of the tool, or another build of the program, may have reported this finding as
// several: it is known if all of them are in the baseline.
std::vector<std::size_t> Baseline::known(const Finding& finding) const {
  std::vector<std::size_t> entries;
  const auto look = [&](const std::string& print) {
    const auto [begin, end] = by_print_.equal_range(print);
    for (auto entry = begin; entry != end; ++entry) entries.push_back(entry->second);
    return begin != end;
  };
  if (look(finding.fingerprint)) return entries;
  for (const auto* prints : {&finding.source_prints, &finding.code_prints, &finding.third_prints,
                             &finding.older_prints}) {
    entries.clear();
    bool all = !prints->empty();
    for (const std::string& print : *prints) all = look(print) && all;
    if (all) return entries;
  }
  return {};
}

std::vector<KnownFinding> Baseline::apply(std::vector<Finding>& findings) const {
  std::vector<bool> found(entries_.size());
  const auto mark = [&](const std::string& print) {
    const auto [begin, end] = by_print_.equal_range(print);
    for (auto entry = begin; entry != end; ++entry) found[entry->second] = true;
  };
  for (Finding& finding : findings) {
    finding.baseline = known(finding).empty() ? BaselineState::fresh : BaselineState::unchanged;
    mark(finding.fingerprint);
    for (const auto* prints : {&finding.source_prints, &finding.code_prints, &finding.third_prints,
                               &finding.older_prints})
      for (const std::string& print : *prints) mark(print);
  }
  std::vector<KnownFinding> gone;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (!found[i]) gone.push_back(entries_[i]);
  return gone;
}

bool Baseline::has_code_prints() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const KnownFinding& entry) { return !entry.code_prints.empty(); });
}

std::string Baseline::first_seen(const Finding& finding) const {
  std::string first;
  for (const std::size_t entry : known(finding)) {
    const std::string& date = entries_[entry].first_seen;
    if (first.empty() || (!date.empty() && date < first)) first = date;
  }
  return first;
}

void write_baseline(std::ostream& out, const std::vector<Finding>& findings,
                    const BaselineOptions& options) {
  std::map<std::string, std::string> lines;  // sorted by what people see first
  for (const Finding& finding : findings) {
    if (!finding.suppressed_by.empty()) continue;
    const BaselineWords words = options.words(finding);
    std::string first = options.older != nullptr ? options.older->first_seen(finding) : "";
    if (first.empty()) first = options.date;
    nlohmann::ordered_json line = {{"rule", finding.info().id}, {"program", words.program}};
    line["place"] = words.place;
    if (!words.hit.empty()) line["hit"] = words.hit;
    line["first_seen"] = first;
    line["title"] = finding.info().title;
    line["fingerprint"] = finding.fingerprint;
    if (!finding.source_prints.empty()) line["source_fingerprints"] = finding.source_prints;
    if (!finding.code_prints.empty()) line["code_fingerprints"] = finding.code_prints;
    lines[std::string(finding.info().id) + '\n' + words.program + '\n' + finding.fingerprint] =
        line.dump();
  }
  out << "{\n  \"tool\": \"" << kTool << "\",\n  \"version\": " << kVersion
      << ",\n  \"findings\": [";
  const char* separator = "\n";
  for (const auto& [key, line] : lines) {
    out << separator << "    " << line;
    separator = ",\n";
  }
  out << (lines.empty() ? "]\n}\n" : "\n  ]\n}\n");
}

}  // namespace umaskaudit::rules

// Fingerprints, and what they are good for. See fingerprint.h.
#include "reporter/rules/fingerprint.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace umaskaudit::rules {
namespace {

// FNV-1a, 64 bits: an identifier, not a secret.
class Hash {
 public:
  void add(const std::string& text) {
    for (const char c : text) mix(static_cast<unsigned char>(c));
    mix(0);  // "ab" + "c" is not "a" + "bc"
  }
  std::string hex() const {
    std::array<char, 24> text{};
    const int length =
        std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(hash_));
    return {text.data(), static_cast<std::size_t>(length)};
  }

 private:
  void mix(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001B3U; }
  std::uint64_t hash_ = 0xCBF29CE484222325U;
};

std::uint64_t first_seq(const Finding& finding) {
  if (!finding.victims.empty()) return finding.victims.front().event.seq;
  return finding.culprit ? finding.culprit->seq : 0;
}

}  // namespace

std::string fingerprint(const Finding& finding, const std::function<std::string(StackRef)>& chain) {
  Hash hash;
  hash.add(finding.info().id);
  hash.add(finding.subject);
  const auto add_code = [&](const EventRef& event) {
    std::string code = chain && event.stack.id != 0 ? chain(event.stack) : "";
    if (code.empty()) code = event.call + " in " + event.thread;
    hash.add(code);
  };
  if (finding.culprit) add_code(*finding.culprit);
  // The calls of a lost mask race: which of them comes last differs from run to run.
  if (!finding.victims.empty() && finding.rule != RuleId::lost_mask)
    add_code(finding.victims.front().event);
  return hash.hex();
}

void merge(Finding& into, const Finding& from, std::size_t max_examples) {
  into.severity = std::max(into.severity, from.severity);
  into.count += from.count;
  for (const Victim& victim : from.victims)
    if (into.victims.size() < max_examples) into.victims.push_back(victim);
  if (!into.window || !from.window) return;
  into.window->count += from.window->count;
  into.window->shortest_ns = std::min(into.window->shortest_ns, from.window->shortest_ns);
  into.window->longest_ns = std::max(into.window->longest_ns, from.window->longest_ns);
}

void sort_worst_first(std::vector<Finding>& findings) {
  const auto weight = [](const Finding& finding) {
    return std::make_tuple(-static_cast<int>(finding.severity), finding.victims.empty(),
                           ~finding.count, first_seq(finding));
  };
  std::stable_sort(findings.begin(), findings.end(),
                   [&](const Finding& a, const Finding& b) { return weight(a) < weight(b); });
}

}  // namespace umaskaudit::rules

#include "reporter/rules/fingerprint.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <tuple>

#include "reporter/mode/notation.h"

namespace umaskaudit::rules {
namespace {

// FNV-1a, 64 bits: an identifier, not a secret.
class Hash {
 public:
  void add(std::string_view text) {
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

Hash begin(std::string_view version, const PrintBase& print) {
  Hash hash;
  hash.add(version);
  hash.add(rule_info(print.rule).id);
  hash.add(print.subject);
  hash.add(print.at_end ? "at end" : "");
  hash.add(print.program);
  return hash;
}

Hash of_cause(std::string_view version, const Print& print) {
  Hash hash = begin(version, print);
  hash.add(print.mask ? "umask " + octal(*print.mask) : "");
  if (print.born_inside) hash.add("born inside");
  if (!print.whole_program) hash.add(print.culprit);
  return hash;
}

}  // namespace

std::string fingerprint(const Print& print) {
  Hash hash = of_cause("4", print);
  if (!print.whole_program) hash.add(print.victim);
  return hash.hex();
}

std::string cause_print(const Print& print) { return of_cause("cause 1", print).hex(); }

std::string fingerprint(const ThirdPrint& print) {
  Hash hash = begin("3", print);
  hash.add(print.mask ? "umask " + octal(*print.mask) : "");
  if (print.born_inside) hash.add("born inside");
  if (!print.whole_program) hash.add(print.code);
  return hash.hex();
}

std::string fingerprint(const OlderPrint& print) {
  Hash hash = begin("2", print);
  if (print.whole_program) return hash.hex();
  hash.add(print.culprit);
  hash.add(print.victim);
  return hash.hex();
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

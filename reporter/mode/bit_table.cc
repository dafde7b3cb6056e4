// Builds the rows; see bit_table.h.
#include "reporter/mode/bit_table.h"

namespace umaskaudit {
namespace {

constexpr Mode kPermissions = 0777;
constexpr Mode kAllBits = 07777;

}  // namespace

const Step* find_step(const Derivation& derivation, Rule rule) {
  for (const Step& step : derivation.steps) {
    if (step.rule == rule) return &step;
  }
  return nullptr;
}

bool has_special_bits(const CreationFacts& facts, const Derivation& derivation) {
  return ((facts.requested | derivation.steps.back().mode) & kAllBits & ~kPermissions) != 0;
}

std::vector<BitRow> bit_rows(const CreationFacts& facts, const Derivation& derivation) {
  const Mode request = facts.requested & kAllBits;
  // The special bits, which no mask changes.
  const Mode passes = has_special_bits(facts, derivation) ? kAllBits & ~kPermissions : 0;
  std::vector<BitRow> rows;
  Mode kept = kAllBits;
  if (derivation.mask && find_step(derivation, Rule::umask) != nullptr) {
    kept = (~*derivation.mask & kPermissions) | passes;
    rows.push_back({"mask", *derivation.mask});
    rows.push_back({"complement", kept});
  }
  if (find_step(derivation, Rule::default_acl) != nullptr && facts.parent && facts.parent->acl) {
    const Mode allowed = acl_allows(*facts.parent->acl) | passes;
    rows.push_back({"default ACL", allowed});
    kept &= allowed;
  }
  if (find_step(derivation, Rule::existing) == nullptr) {
    const Step* ignored = find_step(derivation, Rule::ignored_bits);
    const Mode honoured = ignored == nullptr ? request : ignored->mode;
    rows.push_back({"request", request});
    if (ignored != nullptr) rows.push_back({"honoured", honoured});
    rows.push_back({"AND", honoured & kept});
  }
  rows.push_back({"result", derivation.steps.back().mode});
  return rows;
}

std::string step_reason(const Step& step, const CreationFacts& facts) {
  const bool directory = facts.kind == trace::Kind::dir;
  switch (step.rule) {
    case Rule::requested:
      return facts.call.empty() ? "what the program asks for" : "what " + facts.call + " asks for";
    case Rule::ignored_bits:
      return directory ? "mkdir(2) honours only 01777"
                       : "the write inside sem_open(3) takes set-IDs away";
    case Rule::umask:
      return step.clears != 0 ? "the mask takes bits away, it never adds any"
                              : "the mask takes nothing away here";
    case Rule::default_acl:
      return facts.kind == trace::Kind::socket ? "the directory's default ACL limits it further"
                                               : "the directory's default ACL replaces the umask";
    case Rule::setgid_parent:
      return directory ? "the directory above has set-group-ID"
                       : "the creator is not in the group of the directory above";
    case Rule::existing:
      return "it was there before: its mode stayed";
    case Rule::filesystem:
      return filesystem_name(facts.parent ? facts.parent->fs_type : 0) + " decides by itself";
    case Rule::unexplained:
      return "nothing known leads there: a chmod in between, perhaps";
  }
  return "";
}

}  // namespace umaskaudit

// The layout of explain_text.h.
#include "reporter/commands/explain_text.h"

#include "reporter/explain/access.h"
#include "reporter/model/events.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/text_table.h"

namespace umaskaudit {
namespace {

constexpr Mode kPermissions = 0777;
constexpr Mode kAllBits = 07777;

const Step* find_step(const Derivation& derivation, Rule rule) {
  for (const Step& step : derivation.steps) {
    if (step.rule == rule) return &step;
  }
  return nullptr;
}

bool has_step(const Derivation& derivation, Rule rule) {
  return find_step(derivation, rule) != nullptr;
}

// "110 110 100"; a fourth group in front where setuid, setgid or sticky are at stake.
std::string binary(Mode bits, bool special) {
  std::string text;
  for (unsigned i = special ? 12 : 9; i > 0; --i) {
    text += (bits >> (i - 1) & 1) != 0 ? '1' : '0';
    if (i % 3 == 1 && i > 1) text += ' ';
  }
  return text;
}

// Mask, complement, request, AND, result; the ACL's row joins or replaces the mask's two.
TextTable bit_table(const Explanation& explanation) {
  const Derivation& derivation = explanation.derivation;
  const Mode request = explanation.facts.requested & kAllBits;
  const Mode result = derivation.steps.back().mode;
  const bool special = ((request | result) & ~kPermissions) != 0;
  const Mode passes = special ? kAllBits & ~kPermissions : 0;  // bits that no mask touches
  TextTable table({{""}, {"OCTAL"}, {"BINARY"}, {"RWX"}});
  const auto row = [&](const char* name, Mode bits, Style style = Style::plain) {
    table.add({{name, style}, {octal(bits), style}, {binary(bits, special), style}, rwx(bits)});
  };
  Mode kept = kAllBits;
  if (derivation.mask && has_step(derivation, Rule::umask)) {
    kept = (~*derivation.mask & kPermissions) | passes;
    row("mask", *derivation.mask);
    row("complement", kept);
  }
  if (has_step(derivation, Rule::default_acl)) {
    const Mode allowed = acl_allows(*explanation.facts.parent->acl) | passes;
    row("default ACL", allowed);
    kept &= allowed;
  }
  if (!has_step(derivation, Rule::existing)) {
    const Step* ignored = find_step(derivation, Rule::ignored_bits);
    const Mode honoured = ignored == nullptr ? request : ignored->mode;
    row("request", request);
    if (ignored != nullptr) row("honoured", honoured);
    row("AND", honoured & kept);
  }
  row("result", result, Style::strong);
  return table;
}

std::string reason(const Step& step, const CreationFacts& facts) {
  const bool directory = facts.kind == trace::Kind::dir;
  switch (step.rule) {
    case Rule::requested:
      return facts.call.empty() ? "what the program asks for" : "what " + facts.call + " asks for";
    case Rule::ignored_bits:
      return directory ? "mkdir(2) honours only 01777"
                       : "the write inside sem_open(3) takes set-IDs away";
    case Rule::umask:
      return "the mask takes bits away, it never adds any";
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

TextTable step_table(const Explanation& explanation) {
  TextTable table({{"STEP"}, {"SETS"}, {"CLEARS"}, {"MODE"}, {"RWX"}, {"WHY", Align::left, true}});
  for (const Step& step : explanation.derivation.steps) {
    // Bits that appear without being asked for deserve a look.
    const bool uncalled = step.sets != 0 && step.rule != Rule::requested;
    table.add({rule_name(step.rule),
               {step.sets == 0 ? "-" : octal(step.sets), uncalled ? Style::bad : Style::plain},
               {step.clears == 0 ? "-" : octal(step.clears),
                step.clears == 0 ? Style::plain : Style::warning},
               octal(step.mode),
               rwx(step.mode),
               reason(step, explanation.facts)});
  }
  return table;
}

std::string headline(const Explanation& explanation) {
  CreateEvent event;
  event.requested = explanation.facts.requested;
  event.mask = explanation.derivation.mask.value_or(0);
  event.steps = explanation.derivation.steps;
  return derivation_line(event);
}

}  // namespace

std::string explanation_text(const Explanation& explanation, Paint paint, std::size_t width) {
  const CreationFacts& facts = explanation.facts;
  const bool acl_mask = facts.parent && facts.parent->acl && facts.parent->acl->mask &&
                        has_step(explanation.derivation, Rule::default_acl);
  std::string text = paint(Style::strong, headline(explanation)) + "\n\n";
  text += bit_table(explanation).text(0, paint) + '\n';
  text += step_table(explanation).text(width, paint) + '\n';
  text +=
      who_may(explanation.derivation.steps.back().mode, facts.kind == trace::Kind::dir, acl_mask);
  return text + '\n';
}

}  // namespace umaskaudit

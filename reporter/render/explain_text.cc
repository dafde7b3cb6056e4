#include "reporter/render/explain_text.h"

#include "reporter/events/events.h"
#include "reporter/mode/access.h"
#include "reporter/mode/bit_table.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/step_table.h"

namespace umaskaudit::render {
namespace {

// "110 110 100"; a fourth group in front where setuid, setgid or sticky are at stake.
std::string binary(Mode bits, bool special) {
  std::string text;
  for (unsigned i = special ? 12 : 9; i > 0; --i) {
    text += (bits >> (i - 1) & 1) != 0 ? '1' : '0';
    if (i % 3 == 1 && i > 1) text += ' ';
  }
  return text;
}

TextTable bit_table(const Explanation& explanation) {
  const bool special = has_special_bits(explanation.facts, explanation.derivation);
  TextTable table({{""}, {"OCTAL"}, {"BINARY"}, {"RWX"}});
  const std::vector<BitRow> rows = bit_rows(explanation.facts, explanation.derivation);
  for (const BitRow& row : rows) {
    const Style style = &row == &rows.back() ? Style::strong : Style::plain;
    table.add({{row.name, style},
               {octal(row.bits), style},
               {binary(row.bits, special), style},
               rwx(row.bits)});
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
                        find_step(explanation.derivation, Rule::default_acl) != nullptr;
  std::string text = paint(Style::strong, headline(explanation)) + "\n\n";
  text += bit_table(explanation).text(0, paint) + '\n';
  text += step_table(explanation.derivation.steps, facts).text(width, paint) + '\n';
  text +=
      who_may(explanation.derivation.steps.back().mode, facts.kind == trace::Kind::dir, acl_mask);
  return text + '\n';
}

}  // namespace umaskaudit::render

// BitTable: a derivation as rows of bits for display, with the reason for each step. Must never
// compute a mode: the calculus did. Used by `explain` and the HTML report.
#pragma once

#include <string>
#include <vector>

#include "reporter/mode/calculus.h"

namespace umaskaudit {

struct BitRow {
  const char* name;  // "mask", "complement", "default ACL", "request", "honoured", "AND", "result"
  Mode bits;
};

// Mask, complement, request, AND, result; a default ACL's row is added or replaces the mask's two.
// The last row is the result. Rows that do not apply are omitted.
std::vector<BitRow> bit_rows(const CreationFacts& facts, const Derivation& derivation);

// True when set-user-ID, set-group-ID or sticky are involved: then all twelve bits are shown.
bool has_special_bits(const CreationFacts& facts, const Derivation& derivation);

// "the mask takes bits away, it never adds any": one line, no full stop.
std::string step_reason(const Step& step, const CreationFacts& facts);

const Step* find_step(const Derivation& derivation, Rule rule);

}  // namespace umaskaudit

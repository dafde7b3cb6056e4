// A derivation laid out for people: the rows of bits that are combined, and why each step was
// taken. Must never compute a mode: the calculus did. Called by `explain` and by the HTML report.
#pragma once

#include <string>
#include <vector>

#include "reporter/mode/calculus.h"

namespace umaskaudit {

struct BitRow {
  const char* name;  // "mask", "complement", "default ACL", "request", "honoured", "AND", "result"
  Mode bits;
};

// Mask, complement, request, AND, result; a default ACL's row joins or replaces the mask's two. The
// last row is the result. Rows that have no part in this derivation are not there.
std::vector<BitRow> bit_rows(const CreationFacts& facts, const Derivation& derivation);

// True when set-user-ID, set-group-ID or sticky are at stake: then all twelve bits are to be shown.
bool has_special_bits(const CreationFacts& facts, const Derivation& derivation);

// "the mask takes bits away, it never adds any": one line, no full stop.
std::string step_reason(const Step& step, const CreationFacts& facts);

const Step* find_step(const Derivation& derivation, Rule rule);

}  // namespace umaskaudit

// One derivation for people: the bits as a table, the steps, and who may do what.
// Must never compute a mode: the calculus did. Called by `explain` and its golden tests.
#pragma once

#include <optional>
#include <string>

#include "reporter/mode/calculus.h"
#include "reporter/text/style.h"

namespace umaskaudit::render {

struct Explanation {
  CreationFacts facts;
  Derivation derivation;
};

// Lines with their newlines: headline ("0666 & ~0022 = 0644"), bit table, steps, sentence. `width`:
// columns that a line may take, 0 for any.
std::string explanation_text(const Explanation& explanation, Paint paint, std::size_t width);

}  // namespace umaskaudit::render

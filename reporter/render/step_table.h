// The steps from the requested mode to the final one, as a table.
// Must never compute a mode: the calculus did.
#pragma once

#include <vector>

#include "reporter/mode/calculus.h"
#include "reporter/text/text_table.h"

namespace umaskaudit::render {

// `steps` are those that the calculus made of `facts`.
TextTable step_table(const std::vector<Step>& steps, const CreationFacts& facts);

}  // namespace umaskaudit::render

// The code behind a stack as one string, for fingerprints.
// Must never hold an address or a path: module names, symbols, and offsets where no symbol is
// known. Given to the rules by the commands.
#pragma once

#include <string>

#include "reporter/analysis/stack_cache.h"

namespace umaskaudit {

// "app!acquire<app!worker": the innermost frames that are the program's own, up to its entry,
// without those of interpreters and of generated code. Of a script "app.py!set_mask<app.py!main":
// its own frames alone. Empty when no stack was recorded, or no frame of it is left.
std::string symbol_chain(const std::vector<Frame>& stack);

// "app!acquire": the first of them that is not of the standard library of its language, which is
// compiled into the program (C++ templates, Rust).
std::string innermost_symbol(const std::vector<Frame>& stack);

// The same for people and for fingerprints; where it has no name, its module alone: offsets change
// with each build.
std::string place_of(const std::vector<Frame>& stack);

// Every function and module of a stack, for suppressions.
std::vector<std::string> names_on(const std::vector<Frame>& stack);

}  // namespace umaskaudit

// Names the code behind a stack as one string, for fingerprints.
// Must never contain an address or a path: only module names, symbols, and offsets where there is
// no symbol. Passed to the rules by the commands.
#pragma once

#include <string>

#include "reporter/analysis/stack_cache.h"

namespace umaskaudit::analysis {

// "app!acquire<app!worker": the innermost frames that are the program's own, up to its entry,
// without those of interpreters and of generated code. Of a script "app.py!set_mask<app.py!main":
// its own frames alone. Empty when no stack was recorded, or no frame of it is left.
std::string symbol_chain(const std::vector<symbolize::Frame>& stack);

// "app!acquire": the first of them that is not in the standard library of its language, which is
// compiled into the program (C++ templates, Rust).
std::string innermost_symbol(const std::vector<symbolize::Frame>& stack);

// The same; if it has no name, only its module, because offsets change with each build.
std::string place_of(const std::vector<symbolize::Frame>& stack);

// The code behind a stack for fingerprints: the innermost function of the program's own code that
// has machine code of its own, so that it is equal with and without debugging information:
// "app!cfg::acquire", without parameters, return types and additions by compilers. A lambda that
// was inlined into a function of std:: is named by that function's template arguments. Without a
// symbol, the module. In a script "app.py!set_mask".
//
// For a program of the system (below /usr, /bin, /sbin) that a script or another program started,
// that starter is added: "mkdir<deploy.sh!install".
std::string code_name(StackCache& stacks, StackRef ref);
// The same with functions that were inlined.
std::string source_code_name(StackCache& stacks, StackRef ref);

// The same by the place in the machine code, "1c2ffe+0x12d4", build id and offset, which is equal
// in a stripped copy of the same build: no name decides which frame it is. A library's or program's
// code without a build id is named as by code_name(), and so is a script's.
std::string machine_code_name(StackCache& stacks, StackRef ref);

// "cfg::acquire" of "cfg::acquire(int) [clone .isra.0]" or "void cfg::acquire<int>(int) const".
std::string without_signature(const std::string& symbol);

// A native frame that is neither of the standard library of its language, nor of an interpreter,
// nor of the C runtime, nor of generated code.
bool is_own_code(const symbolize::Frame& frame);

// Every function and module of a stack, for suppressions.
std::vector<std::string> names_on(const std::vector<symbolize::Frame>& stack);

}  // namespace umaskaudit::analysis

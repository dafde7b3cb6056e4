// The short name of a function.
// Must never be used to compare functions: overloads have one name.
#pragma once

#include <string>

#include "reporter/symbolize/symbolizer.h"

namespace umaskaudit::render {

// Without parameters, the type returned and the arguments of templates: "cfg::read" of
// "int cfg::read<char>(char const*) const", "main::{lambda#1}" of what a lambda is called by. Of
// other languages than C and C++ as it is. Raw bytes.
std::string function_name(const symbolize::Frame& frame);

}  // namespace umaskaudit::render

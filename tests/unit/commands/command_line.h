// Runs the tool inside the test, with strings for its streams.
// Must never start a process of its own.
// Called by the tests beside it.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "reporter/commands/cli.h"

namespace umaskaudit::testing {

struct Outcome {
  int code = 0;
  std::string out, err;
};

inline Outcome tool(const std::vector<std::string>& arguments) {
  std::ostringstream out, err;
  Console console{out, err};
  Outcome outcome;
  outcome.code = commands::run_cli(arguments, console);
  outcome.out = out.str();
  outcome.err = err.str();
  return outcome;
}

}  // namespace umaskaudit::testing

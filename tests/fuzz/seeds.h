// The inputs that fuzzing the trace reader starts from.
// Must never depend on the reader. Called by fuzz_trace_reader.cc.
#pragma once

#include <string>
#include <vector>

namespace umaskaudit::testing {

// Between the files of one run in an input.
inline constexpr char kSplit[] = "\nSPLIT!\n";
inline constexpr std::size_t kSplitLength = sizeof kSplit - 1;

struct Seed {
  std::string name;
  std::string bytes;
};
// Whole inputs: one segment, or several joined by kSplit.
std::vector<Seed> trace_seeds();

}  // namespace umaskaudit::testing

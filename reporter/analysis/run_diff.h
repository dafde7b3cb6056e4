// RunDiff: two runs compared: objects that differ in mode, at which step, and code that sets other
// masks. Addresses, process ids, times and counts are never differences.
// Must never read a run: the caller collects both sides.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "reporter/analysis/final_objects.h"

namespace umaskaudit::analysis {

// What one run created under one (normalised) name: usually one outcome, more if its processes race
// or temporary names were merged.
struct Outcome {
  trace::Kind kind = trace::Kind::unknown;
  Mode mode = 0;
  FinalObject example;
  std::uint64_t count = 0;
};

// The masks that one call site sets. Its key contains no address.
struct MaskSite {
  std::string where;  // for people
  std::string call;
  std::set<Mode> masks;
  std::uint64_t count = 0;
};

struct RunSide {
  std::map<std::string, std::vector<Outcome>> objects;  // by name
  std::map<std::string, MaskSite> sites;                // by the code's chain of calls
  std::vector<Mode> inherited;                          // at the start

  void add(const std::string& name, FinalObject object);
};

// One step in which the two sides differ.
struct StepDifference {
  std::string step;  // a rule of the calculus, "kind" or "chmod"
  std::string a, b;  // the value on either side
};

struct ObjectDifference {
  std::string name;
  // outcomes that the other side does not have; empty: no object of that name
  std::vector<Outcome> a, b;
  bool only_a = false, only_b = false;
  std::vector<StepDifference> steps;  // between the first outcome of each
};

struct SiteDifference {
  const MaskSite* a = nullptr;  // null: this code sets no mask on that side
  const MaskSite* b = nullptr;
};

struct RunDiff {
  std::vector<ObjectDifference> objects;  // by name
  std::vector<SiteDifference> sites;
  bool inherited = false;  // the runs had different initial masks
  std::uint64_t same = 0;  // names whose outcomes are equal

  bool any() const { return inherited || !objects.empty() || !sites.empty(); }
};

// `a` and `b` must outlive the result.
RunDiff compare(const RunSide& a, const RunSide& b);

}  // namespace umaskaudit::analysis

// Two runs side by side: which objects differ in mode, at which step, and which code sets other
// masks. Addresses, process ids, times and counts are never a difference.
// Must never read a run: the caller collects both sides. Called by `diff`.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "reporter/analysis/final_objects.h"

namespace umaskaudit {

// What one run made under one (normalised) name: usually one outcome, more where its runs race or
// temporary names are read as the same.
struct Outcome {
  trace::Kind kind = trace::Kind::unknown;
  Mode mode = 0;
  FinalObject example;
  std::uint64_t count = 0;
};

// The masks that one place in the code sets. The key of a place names no address.
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

// One step that the two sides took differently.
struct StepDifference {
  std::string step;  // a rule of the calculus, "kind" or "chmod"
  std::string a, b;  // what it was on either side
};

struct ObjectDifference {
  std::string name;
  std::vector<Outcome> a, b;  // what the other side has not; empty: it has nothing of that name
  bool only_a = false, only_b = false;
  std::vector<StepDifference> steps;  // of the first of each
};

struct SiteDifference {
  const MaskSite* a = nullptr;  // null: this code sets no mask there
  const MaskSite* b = nullptr;
};

struct RunDiff {
  std::vector<ObjectDifference> objects;  // by name
  std::vector<SiteDifference> sites;
  bool inherited = false;  // the runs began under different masks
  std::uint64_t same = 0;  // names whose outcomes are equal

  bool any() const { return inherited || !objects.empty() || !sites.empty(); }
};

// `a` and `b` must outlive the answer.
RunDiff compare(const RunSide& a, const RunSide& b);

}  // namespace umaskaudit

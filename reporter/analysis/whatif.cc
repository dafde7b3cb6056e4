#include "reporter/analysis/whatif.h"

#include <algorithm>
#include <utility>

#include "reporter/mode/calculus.h"

namespace umaskaudit::analysis {
namespace {

bool has_step(const CreateEvent& event, Rule rule) {
  return std::any_of(event.steps.begin(), event.steps.end(),
                     [rule](const Step& step) { return step.rule == rule; });
}

}  // namespace

void classify(WhatIf& whatif, FinalObject object, Mode mask) {
  const CreateEvent& made = object.creation;
  ++whatif.objects;
  const bool moves = mask != made.mask;
  if (has_step(made, Rule::default_acl) && !has_step(made, Rule::umask)) {
    ++whatif.acl;
  } else if (!moves) {
    ++(made.mask_set_by || made.mask_setter_dropped ? whatif.own_mask : whatif.same);
  } else if (!object.settled_by.empty()) {
    ++whatif.settled;
  } else if (has_step(made, Rule::filesystem) || has_step(made, Rule::unexplained)) {
    whatif.unpredictable.push_back(std::move(object));
  } else {
    const Mode mode = predicted_mode(facts_of(made), mask);
    if (mode == object.mode)
      ++whatif.same;
    else
      whatif.changed.push_back({std::move(object), mask, mode});
  }
}

}  // namespace umaskaudit::analysis

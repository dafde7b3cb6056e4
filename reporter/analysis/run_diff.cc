// Compares two runs; see run_diff.h.
#include "reporter/analysis/run_diff.h"

#include <algorithm>
#include <utility>

#include "reporter/mode/notation.h"

namespace umaskaudit::analysis {
namespace {

constexpr Mode kTypeless = 07777;

std::string octal_of(Mode bits) { return octal(bits & kTypeless); }

const Step* step_of(const CreateEvent& event, Rule rule) {
  for (const Step& step : event.steps)
    if (step.rule == rule) return &step;
  return nullptr;
}

std::string chmod_text(const FinalObject& object) {
  if (object.settled_by.empty()) return "none";
  return object.settled_by + ' ' + octal_of(object.mode);
}

std::string acl_text(const CreateEvent& event) {
  if (step_of(event, Rule::default_acl) == nullptr || !event.parent || !event.parent->acl)
    return "none";
  return octal_of(acl_allows(*event.parent->acl));
}

std::string step_text(const CreateEvent& event, Rule rule) {
  const Step* step = step_of(event, rule);
  return step == nullptr ? "none" : octal_of(step->mode);
}

std::vector<StepDifference> differing_steps(const FinalObject& a, const FinalObject& b) {
  const CreateEvent& left = a.creation;
  const CreateEvent& right = b.creation;
  std::vector<StepDifference> steps;
  const auto add = [&](const char* step, std::string in_a, std::string in_b) {
    if (in_a != in_b) steps.push_back({step, std::move(in_a), std::move(in_b)});
  };
  add("kind", kind_name(left.kind), kind_name(right.kind));
  if (mode_of(left) != mode_of(right)) {
    add("requested", octal_of(left.requested), octal_of(right.requested));
    add("default-acl", acl_text(left), acl_text(right));
    const bool masked = step_of(left, Rule::umask) != nullptr || step_of(right, Rule::umask);
    if (masked) add("umask", octal_of(left.mask), octal_of(right.mask));
    for (const Rule rule : {Rule::setgid_parent, Rule::filesystem, Rule::unexplained})
      if ((step_of(left, rule) == nullptr) != (step_of(right, rule) == nullptr))
        add(rule_name(rule), step_text(left, rule), step_text(right, rule));
  }
  if (steps.empty() || !a.settled_by.empty() || !b.settled_by.empty())
    add("chmod", chmod_text(a), chmod_text(b));
  return steps;
}

bool same_outcome(const Outcome& a, const Outcome& b) {
  return a.kind == b.kind && a.mode == b.mode;
}

std::vector<Outcome> missing_in(const std::vector<Outcome>& from, const std::vector<Outcome>& in) {
  std::vector<Outcome> out;
  for (const Outcome& one : from)
    if (std::none_of(in.begin(), in.end(),
                     [&](const Outcome& other) { return same_outcome(one, other); }))
      out.push_back(one);
  return out;
}

// Calls `visit` with the entries of both maps for each key in either of them.
template <typename Map, typename Visit>
void join(const Map& a, const Map& b, const Visit& visit) {
  auto left = a.begin();
  auto right = b.begin();
  while (left != a.end() || right != b.end()) {
    const bool take_left = right == b.end() || (left != a.end() && left->first <= right->first);
    const bool take_right = left == a.end() || (right != b.end() && right->first <= left->first);
    visit(take_left ? left->first : right->first, take_left ? &left->second : nullptr,
          take_right ? &right->second : nullptr);
    if (take_left) ++left;
    if (take_right) ++right;
  }
}

}  // namespace

void RunSide::add(const std::string& name, FinalObject object) {
  Outcome outcome;
  outcome.kind = object.creation.kind;
  outcome.mode = object.mode;
  outcome.count = object.times;
  std::vector<Outcome>& outcomes = objects[name];
  for (Outcome& known : outcomes) {
    if (!same_outcome(known, outcome)) continue;
    known.count += outcome.count;
    return;
  }
  outcome.example = std::move(object);
  outcomes.push_back(std::move(outcome));
}

RunDiff compare(const RunSide& a, const RunSide& b) {
  RunDiff diff;
  diff.inherited = a.inherited != b.inherited;
  static const std::vector<Outcome> none;
  join(a.objects, b.objects, [&](const std::string& name, const auto* left, const auto* right) {
    ObjectDifference difference;
    difference.name = name;
    difference.a = missing_in(left == nullptr ? none : *left, right == nullptr ? none : *right);
    difference.b = missing_in(right == nullptr ? none : *right, left == nullptr ? none : *left);
    difference.only_a = right == nullptr;
    difference.only_b = left == nullptr;
    if (difference.a.empty() && difference.b.empty()) {
      ++diff.same;
      return;
    }
    if (left != nullptr && right != nullptr) {
      // If one side has a subset of the other's outcomes, its first one represents it.
      if (difference.a.empty()) difference.a.push_back(left->front());
      if (difference.b.empty()) difference.b.push_back(right->front());
      difference.steps =
          differing_steps(difference.a.front().example, difference.b.front().example);
    }
    diff.objects.push_back(std::move(difference));
  });
  join(a.sites, b.sites, [&](const std::string&, const MaskSite* left, const MaskSite* right) {
    if (left == nullptr || right == nullptr || left->masks != right->masks)
      diff.sites.push_back({left, right});
  });
  return diff;
}

}  // namespace umaskaudit::analysis

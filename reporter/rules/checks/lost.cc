// lost-mask: two interleaved save-and-restore pairs, shown as the calls in their order.
// Must never report a wrong mask that was put right before anything was created under it.
#include <algorithm>
#include <map>
#include <utility>

#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"

namespace umaskaudit::rules {
namespace {

SequenceStep opening(const MaskWindow& window) {
  return {event_ref(window.open),
          "sets " + octal(window.open.new_mask) + ", remembers " + octal(window.open.old_mask)};
}

SequenceStep closing(const MaskWindow& window) {
  return {event_ref(window.close), "puts " + octal(window.close.new_mask) + " back"};
}

class LostCheck : public Check {
 public:
  explicit LostCheck(Collector& collector) : collector_(collector) {}

  void on_change(const UmaskEvent& /*event*/, const Change& change) override {
    if (change.lost_ended) active_.erase(number(*change.lost_ended));
    if (change.lost_begun) active_[number(*change.lost_begun)] = change.lost_begun;
  }

  void on_create(CheckedCreation& creation) override {
    if (creation.verdict.kind != Verdict::Kind::lost) return;
    creation.claimed = rule_info(RuleId::lost_mask).severity;
    if (!collector_.wanted(RuleId::lost_mask, creation.event)) return;
    Group& group = group_of(creation.verdict.lost);
    collector_.add_victim(group, creation.event, creation.verdict.expected_mask,
                          creation.verdict.expected);
  }

  void finish(std::uint64_t end_ns) override {
    for (const auto& [seq, lost] : active_) group_of(lost);
    for (const auto& [group, lost] : entries_) complete(group->finding, *lost, end_ns);
  }

  void report() override {
    for (const auto& [group, lost] : entries_) {
      Finding& finding = group->finding;
      finding.message = "after interleaved save and restore the process is left with umask " +
                        octal(lost->stayed) + " instead of " + octal(lost->expected);
      if (finding.count > 0) {
        const Victim& first = finding.victims.front();
        finding.message += "; " + counted(finding.count, "object") + " got the wrong mode, e.g. '" +
                           first.path + "': " + octal(first.mode) + " instead of " +
                           octal(first.expected);
      }
      collector_.add_births(finding);
    }
  }

 private:
  static std::uint64_t number(const Lost& lost) { return lost.restored->close.seq; }

  Group& group_of(const LostPtr& lost) {
    // The calls of the race: which of them comes last differs from run to run.
    bool fresh = false;
    Group& group =
        collector_.group({.rule = RuleId::lost_mask, .culprit = lost->restored->close}, &fresh);
    if (fresh) entries_.emplace_back(&group, lost);
    return group;
  }

  static void complete(Finding& finding, const Lost& lost, std::uint64_t end_ns) {
    const MaskWindow& last = *lost.restored;
    finding.culprit = event_ref(last.close);
    if (lost.origin) {
      finding.steps = {opening(*lost.origin), opening(last), closing(last)};
      if (lost.origin->closed) finding.steps.push_back(closing(*lost.origin));
    } else {
      finding.steps = {opening(last), closing(last)};
      if (lost.permanent)
        finding.steps.push_back({event_ref(lost.permanent->open),
                                 "sets " + octal(lost.permanent->open.new_mask) + " to stay"});
    }
    std::sort(
        finding.steps.begin(), finding.steps.end(),
        [](const SequenceStep& a, const SequenceStep& b) { return a.event.seq < b.event.seq; });
    finding.steps.back().text += ": " + octal(lost.stayed) + " stays";

    Window window;
    window.begin_ns = last.close.time_ns;
    window.open_ended = lost.end_ns == 0;
    window.end_ns = std::max(window.begin_ns, window.open_ended ? end_ns : lost.end_ns);
    window.mask_before = lost.expected;
    window.mask_inside = lost.stayed;
    window.count = 1;
    window.shortest_ns = window.longest_ns = window.length_ns();
    finding.window = window;
  }

  Collector& collector_;
  std::map<std::uint64_t, LostPtr> active_;  // in order of the run
  std::vector<std::pair<Group*, LostPtr>> entries_;
};

}  // namespace

CheckPtr make_lost_check(const CheckParts& parts) {
  return std::make_unique<LostCheck>(parts.collector);
}

}  // namespace umaskaudit::rules

// window-overlap, strict-overlap and the victims of leaked-mask: objects that another thread's mask
// decided. Must never report a creation that its own thread's mask, or the permanent one, explains.
#include <algorithm>
#include <unordered_map>

#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"

namespace umaskaudit::rules {
namespace {

using Kind = Verdict::Kind;

RuleId rule_of(const Verdict& verdict) {
  if (verdict.kind == Kind::leaked) return RuleId::leaked_mask;
  return (verdict.mode & ~verdict.expected) != 0 ? RuleId::window_overlap : RuleId::strict_overlap;
}

class OverlapCheck : public Check {
 public:
  explicit OverlapCheck(Collector& collector) : collector_(collector) {}

  void on_create(CheckedCreation& creation) override {
    const Verdict& verdict = creation.verdict;
    if (!verdict.hit() || verdict.kind == Kind::lost) return;
    const RuleId rule = rule_of(verdict);
    // Threads started inside the window may be meant to live in it.
    const Severity severity = verdict.born_inside ? Severity::note : rule_info(rule).severity;
    creation.claimed = severity;
    if (!collector_.wanted(rule, creation.event)) return;
    const MaskWindow& window = *verdict.window;
    // What replaced the victim's own mask may be the call that closed the culprit's window.
    const bool by_close = verdict.kind == Kind::clobbered && window.closed;
    const UmaskEvent& call = by_close ? window.close : window.open;
    bool fresh = false;
    const Mode mask = window.open.new_mask;
    Group& group = collector_.group({.rule = rule,
                                     .culprit = call,
                                     .victim = &creation.event,
                                     .mask = mask,
                                     .born_inside = verdict.born_inside},
                                    &fresh);
    Finding& finding = group.finding;
    if (fresh) {
      finding.culprit = event_ref(call);
      finding.severity = severity;
      entries_.try_emplace(&group, Entry{mask, verdict.kind, verdict.born_inside});
    }
    Entry& entry = entries_.at(&group);
    if (entry.kind != verdict.kind) entry.kind = Kind::overlap;  // true of either
    finding.severity = std::max(finding.severity, severity);
    if (!window.permanent) collector_.add_window(group, verdict.window);
    collector_.add_victim(group, creation.event, verdict.expected_mask, verdict.expected, severity);
    if (fresh && !by_close && !finding.victims.empty())
      finding.victims.front().began_before = creation.event.change_before < window.open.change;
  }

  void report() override {
    for (const auto& [group, entry] : entries_) {
      Finding& finding = group->finding;
      if (finding.victims.empty()) continue;
      finding.message = sentence(finding, entry);
      collector_.add_births(finding);
    }
  }

 private:
  struct Entry {
    Mode mask;
    Kind kind;
    bool born_inside;
  };

  // " for 3.4 us", " (10 times, for up to 12 ms)", " until the end of the run".
  static std::string window_text(const Finding& finding) {
    if (!finding.window) return "";
    const Window& window = *finding.window;
    if (window.count > 1)
      return " (" + grouped(window.count) + " times, for up to " +
             duration_text(window.longest_ns) + ")";
    if (window.open_ended) return " until the end of the run";
    return " for " + duration_text(window.length_ns());
  }

  static std::string sentence(const Finding& finding, const Entry& entry) {
    const Victim& victim = finding.victims.front();
    std::string text = who_text(finding);
    if (entry.kind == Kind::clobbered)
      text += " replaced the umask that " + quoted_thread(victim.event) + " had set for itself: ";
    else if (entry.kind == Kind::leaked)
      text += " set umask " + octal(entry.mask) + " and never restored it: ";
    else
      text += " temporarily set umask " + octal(entry.mask) + window_text(finding) + ": ";
    if (finding.count == 1)
      text += "'" + victim.path + "', created by " + quoted_thread(victim.event) +
              ", got the wrong mode, ";
    else
      text += grouped(finding.count) +
              " objects created by other threads got the wrong mode, "
              "e.g. '" +
              victim.path + "': ";
    text += octal(victim.mode) + " instead of " + octal(victim.expected);
    const Mode gained = effective(victim.mode & ~victim.expected, victim.kind);
    const Mode missing = effective(victim.expected & ~victim.mode, victim.kind);
    if ((gained & victim.reached) != 0)
      text += "; now " + access_text(gained & victim.reached, victim.kind);
    if ((missing & victim.reached) != 0)
      text += "; no longer " + access_text(missing & victim.reached, victim.kind);
    if (((gained | missing) & ~victim.reached) != 0)
      text += "; a directory above it keeps others out";
    if (entry.born_inside) text += " (the thread was started inside the window)";
    return text;
  }

  Collector& collector_;
  std::unordered_map<Group*, Entry> entries_;
};

}  // namespace

CheckPtr make_overlap_check(const CheckParts& parts) {
  return std::make_unique<OverlapCheck>(parts.collector);
}

}  // namespace umaskaudit::rules

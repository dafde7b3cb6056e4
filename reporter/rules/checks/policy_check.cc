// policy-mode, policy-mask, policy-call: the site's own rules.
// Must never judge what was not created in this run.
#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <span>

#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"
#include "reporter/rules/policy.h"

namespace umaskaudit::rules {
namespace {

class PolicyCheck : public Check {
 public:
  PolicyCheck(Collector& collector, const Policy& policy)
      : collector_(collector), policy_(policy) {}

  void on_change(const UmaskEvent& event, const Change& /*change*/) override {
    look_at_call(event, "", event.folded.count);
  }

  void on_event(const Event& event) override {
    if (const auto* chmod = std::get_if<ChmodEvent>(&event)) look_at_call(*chmod, chmod->path);
    if (const auto* rename = std::get_if<RenameEvent>(&event)) look_at_call(*rename, rename->from);
  }

  void on_create(CheckedCreation& creation) override {
    const CreateEvent& event = creation.event;
    look_at_call(event, event.path);
    if (creation.verdict.kind == Verdict::Kind::no_object) return;
    // The name at its birth counts before its later ones.
    bool mode_done = false;
    bool mask_done = false;
    const auto judge = [&](std::span<const std::string> names) {
      for (const PathRule& rule : policy_.paths) {
        const auto name = std::find_if(names.begin(), names.end(), [&](const std::string& one) {
          return !one.empty() && rule.applies(one, event.kind);
        });
        if (name == names.end()) continue;
        if (rule.widest && !mode_done) look_at_mode(rule, event, *name, creation.verdict.mode);
        if (rule.mask && !mask_done) look_at_mask(rule, event, *name, creation.verdict.mode);
        mode_done |= rule.widest.has_value();
        mask_done |= rule.mask.has_value();
      }
    };
    const std::string names[] = {event.path, event.link};
    judge(names);
    if (!mode_done || !mask_done) judge(collector_.later_names().of(event.seq));
  }

  // The present name counts before the earlier ones.
  void on_last(const LastSeen& last) override {
    const auto decides = [&](std::size_t begin, std::size_t end) {
      for (const PathRule& rule : policy_.paths) {
        const bool applies =
            rule.widest && std::any_of(last.names.begin() + static_cast<std::ptrdiff_t>(begin),
                                       last.names.begin() + static_cast<std::ptrdiff_t>(end),
                                       [&](const std::string& name) {
                                         return rule.applies(name, last.life.kind);
                                       });
        if (!applies) continue;
        look_at_end(rule, last);
        return true;
      }
      return false;
    };
    if (!decides(0, last.present)) decides(last.present, last.names.size());
  }

  void report() override {
    for (Group* group : groups_) {
      Finding& finding = group->finding;
      if (finding.count > 1)
        finding.message += " (and " + std::to_string(finding.count - 1) + " more)";
      collector_.add_births(finding);
    }
  }

 private:
  // A finding for `row` of the policy, its message still to be written; null for a known one.
  Finding* begin(RuleId id, const EventBase& event, const std::string& subject, Group** group,
                 bool at_end = false, bool recorded = true) {
    bool fresh = false;
    *group = &collector_.group({.rule = id,
                                .culprit = event,
                                .subject = subject,
                                .at_end = at_end,
                                .innermost = true,
                                .recorded = recorded},
                               &fresh);
    if (!fresh) return nullptr;
    groups_.push_back(*group);
    return &(*group)->finding;
  }

  // By the name of its birth, and by the one that the policy speaks of.
  static std::string called(const CreateEvent& event, const std::string& name) {
    const std::string path = "'" + event.path + "'";
    const bool later = name != event.path && name != event.link;
    return later ? path + ", later '" + name + "'," : path;
  }

  static Mode beyond(const PathRule& rule, Mode mode, trace::Kind kind) {
    Mode bits = mode & ~*rule.widest & 07777;
    // mkdir(2) under a set-group-ID directory inherits the bit: it does not violate a widest mode.
    if (kind == trace::Kind::dir) bits &= ~Mode{S_ISGID};
    // A socket or a FIFO cannot be executed.
    if (effective(0111, kind) == 0) bits &= ~Mode{0111};
    return bits;
  }

  static std::string because(const std::string& reason, std::uint32_t line) {
    return " (policy line " + std::to_string(line) + (reason.empty() ? "" : ": " + reason) + ")";
  }

  void look_at_mode(const PathRule& rule, const CreateEvent& event, const std::string& name,
                    Mode mode) {
    const Mode bits = beyond(rule, mode, event.kind);
    if (bits == 0 || !collector_.wanted(RuleId::policy_mode, event)) return;
    Group* group = nullptr;
    if (Finding* finding = begin(RuleId::policy_mode, event, rule.glob, &group)) {
      const std::string access = access_text(bits & 0777, event.kind);
      finding->message = called(event, name) + " has mode " + octal(mode) +
                         ", the widest allowed for '" + rule.glob + "' is " + octal(*rule.widest) +
                         (access.empty() ? "" : ": " + access) + "; " + derivation_text(event) +
                         because(rule.reason, rule.line);
    }
    collector_.add_victim(*group, event, event.mask, mode & *rule.widest);
  }

  static std::string maker(const Finding& finding, const EventBase& culprit,
                           const ObjectLife& life) {
    if (!finding.culprit) return "no record says what made it";
    return quoted_thread(*finding.culprit) +
           (culprit.seq == life.born.seq ? " made it by " : " changed it by ") +
           std::string(culprit.call);
  }

  void look_at_end(const PathRule& rule, const LastSeen& last) {
    const ObjectLife& life = last.life;
    const Mode bits = beyond(rule, life.mode, life.kind);
    if (bits == 0 || collector_.severity_at_birth(life.born.seq, RuleId::policy_mode)) return;
    if (!collector_.wanted(RuleId::policy_mode, last.names)) return;
    const EventBase culprit = culprit_of(life, bits);
    Group* group = nullptr;
    if (Finding* finding =
            begin(RuleId::policy_mode, culprit, rule.glob, &group, true, last.recorded())) {
      const std::string access = access_text(bits & 0777, life.kind);
      finding->message = "'" + last.names.front() + "' has mode " + octal(life.mode) +
                         " at the end, the widest allowed for '" + rule.glob + "' is " +
                         octal(*rule.widest) + (access.empty() ? "" : ": " + access) + "; " +
                         maker(*finding, culprit, life) + because(rule.reason, rule.line);
    }
    collector_.add_victim(*group, last, life.mode & *rule.widest, Severity::error);
  }

  void look_at_mask(const PathRule& rule, const CreateEvent& event, const std::string& name,
                    Mode mode) {
    const Mode missing = *rule.mask & ~event.mask;
    if (missing == 0 || !collector_.wanted(RuleId::policy_mask, event)) return;
    Group* group = nullptr;
    if (Finding* finding = begin(RuleId::policy_mask, event, rule.glob, &group)) {
      finding->message = called(event, name) + " was created under umask " + octal(event.mask) +
                         ", the policy for '" + rule.glob + "' requires " + octal(*rule.mask) +
                         " (missing " + octal(missing) + "); " + derivation_text(event) +
                         because(rule.reason, rule.line);
    }
    collector_.add_victim(*group, event, event.mask | *rule.mask, mode & ~missing);
  }

  void look_at_call(const EventBase& event, const std::string& path, std::uint64_t times = 1) {
    for (const CallRule& rule : policy_.calls) {
      const std::string call(event.call);
      if (fnmatch(rule.name.c_str(), call.c_str(), 0) != 0) continue;
      if (!rule.glob.empty() && fnmatch(rule.glob.c_str(), path.c_str(), 0) != 0) continue;
      if (!collector_.wanted(RuleId::policy_call, path)) continue;
      Group* group = nullptr;
      if (Finding* finding = begin(RuleId::policy_call, event, rule.name, &group)) {
        finding->message = quoted_thread(*finding->culprit) + " called " + call +
                           (path.empty() ? "" : " for '" + path + "'") + ", which is forbidden" +
                           because(rule.reason, rule.line);
      }
      group->finding.count += times;
    }
  }

  Collector& collector_;
  const Policy& policy_;
  std::vector<Group*> groups_;
};

}  // namespace

CheckPtr make_policy_check(const CheckParts& parts) {
  if (parts.options.policy == nullptr) return nullptr;
  return std::make_unique<PolicyCheck>(parts.collector, *parts.options.policy);
}

}  // namespace umaskaudit::rules

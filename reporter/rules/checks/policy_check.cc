// policy-mode, policy-mask, policy-call: the site's own rules.
// Must never judge what was not created in this run.
#include <fnmatch.h>
#include <sys/stat.h>

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
    look_at_call(event, "");
  }

  void on_event(const Event& event) override {
    if (const auto* chmod = std::get_if<ChmodEvent>(&event)) look_at_call(*chmod, chmod->path);
    if (const auto* rename = std::get_if<RenameEvent>(&event)) look_at_call(*rename, rename->from);
  }

  void on_create(Case& creation) override {
    const CreateEvent& event = creation.event;
    look_at_call(event, event.path);
    if (creation.verdict.kind == Verdict::Kind::no_object) return;
    bool mode_done = false;
    bool mask_done = false;
    for (const PathRule& rule : policy_.paths) {
      if (!rule.applies(event.path, event.kind)) continue;
      if (rule.widest && !mode_done) look_at_mode(rule, event, creation.verdict.mode);
      if (rule.mask && !mask_done) look_at_mask(rule, event, creation.verdict.mode);
      mode_done |= rule.widest.has_value();
      mask_done |= rule.mask.has_value();
    }
  }

  void tell() override {
    for (Group* group : groups_) {
      if (group->united) continue;
      Finding& finding = group->finding;
      if (finding.count > 1)
        finding.message += " (and " + std::to_string(finding.count - 1) + " more)";
      collector_.add_births(finding);
    }
  }

 private:
  // A finding for `row` of the policy, its message still to be written; null for a known one.
  Finding* begin(RuleId id, const EventBase& event, std::uint32_t line, Group** group) {
    bool fresh = false;
    *group = &collector_.group(id, event.stack, StackRef{}, line, &fresh);
    if (!fresh) return nullptr;
    groups_.push_back(*group);
    (*group)->finding.culprit = event_ref(event);
    return &(*group)->finding;
  }

  static std::string because(const std::string& reason, std::uint32_t line) {
    return " (policy line " + std::to_string(line) + (reason.empty() ? "" : ": " + reason) + ")";
  }

  void look_at_mode(const PathRule& rule, const CreateEvent& event, Mode mode) {
    Mode beyond = mode & ~*rule.widest & 07777;
    // mkdir(2) under a set-group-ID directory inherits the bit; no policy of modes is about that.
    if (event.kind == trace::Kind::dir) beyond &= ~Mode{S_ISGID};
    if (beyond == 0 || !collector_.wanted(RuleId::policy_mode, event.path)) return;
    Group* group = nullptr;
    if (Finding* finding = begin(RuleId::policy_mode, event, rule.line, &group)) {
      finding->subject = rule.glob;
      const std::string access = access_text(beyond & 0777, event.kind);
      finding->message = "'" + event.path + "' has mode " + octal(mode) +
                         ", the widest allowed for '" + rule.glob + "' is " + octal(*rule.widest) +
                         (access.empty() ? "" : ": " + access) + "; " + derivation_text(event) +
                         because(rule.reason, rule.line);
    }
    collector_.add_victim(*group, event, event.mask, mode & *rule.widest);
  }

  void look_at_mask(const PathRule& rule, const CreateEvent& event, Mode mode) {
    const Mode missing = *rule.mask & ~event.mask;
    if (missing == 0 || !collector_.wanted(RuleId::policy_mask, event.path)) return;
    Group* group = nullptr;
    if (Finding* finding = begin(RuleId::policy_mask, event, rule.line, &group)) {
      finding->subject = rule.glob;
      finding->message = "'" + event.path + "' was created under umask " + octal(event.mask) +
                         ", the policy for '" + rule.glob + "' requires " + octal(*rule.mask) +
                         " (missing " + octal(missing) + "); " + derivation_text(event) +
                         because(rule.reason, rule.line);
    }
    collector_.add_victim(*group, event, event.mask | *rule.mask, mode & ~missing);
  }

  void look_at_call(const EventBase& event, const std::string& path) {
    for (const CallRule& rule : policy_.calls) {
      const std::string call(event.call);
      if (fnmatch(rule.name.c_str(), call.c_str(), 0) != 0) continue;
      if (!rule.glob.empty() && fnmatch(rule.glob.c_str(), path.c_str(), 0) != 0) continue;
      if (!collector_.wanted(RuleId::policy_call, path)) continue;
      Group* group = nullptr;
      if (Finding* finding = begin(RuleId::policy_call, event, rule.line, &group)) {
        finding->subject = rule.name;
        finding->message = thread_text(*finding->culprit) + " called " + call +
                           (path.empty() ? "" : " for '" + path + "'") + ", which is forbidden" +
                           because(rule.reason, rule.line);
      }
      ++group->finding.count;
    }
  }

  Collector& collector_;
  const Policy& policy_;
  std::vector<Group*> groups_;
};

}  // namespace

CheckPtr make_policy_check(Collector& collector, const Policy& policy) {
  return std::make_unique<PolicyCheck>(collector, policy);
}

}  // namespace umaskaudit::rules

// umask-zero: a process that lives with an empty mask, and what that opened.
// Must never count an object that says itself who may write it: 0644 under umask 0 is 0644.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"

namespace umaskaudit::rules {
namespace {

constexpr Mode kUsualMask = 022;

class ZeroCheck : public Check {
 public:
  explicit ZeroCheck(Collector& collector) : collector_(collector) {}

  void on_change(const UmaskEvent& event, const Change& change) override {
    if (change.role != Change::Role::settles || event.new_mask != 0) return;
    if (event.old_mask == 0) {  // it changes nothing: who set that mask answers for it
      Group* earlier = responsible_for(event.old_set_by);
      if (earlier != nullptr) {
        by_change_[event.id] = earlier;
        return;
      }
    }
    bool fresh = false;
    Group& group = collector_.group(RuleId::umask_zero, event.stack, StackRef{}, 0, &fresh);
    if (fresh) begin(group, event_ref(event));
    by_change_[event.id] = &group;
  }

  void on_event(const Event& event) override {
    const auto* process = std::get_if<ProcessEvent>(&event);
    if (process == nullptr) return;
    // Children repeat what their parent said.
    const bool child = pids_.count(process->ppid) != 0 || pids_.count(process->pid) != 0;
    pids_.insert(process->pid);
    const bool known = process->mask_source != trace::MaskSource::unknown;
    if (child || process->mask != 0 || !known) return;
    bool fresh = false;
    Group& group = collector_.group(RuleId::umask_zero, StackRef{}, StackRef{}, 1, &fresh);
    if (fresh) begin(group, event_ref(*process));
    inherited_ = &group;
  }

  void on_create(Case& creation) override {
    const CreateEvent& event = creation.event;
    const Verdict& verdict = creation.verdict;
    if (creation.claimed || verdict.kind != Verdict::Kind::clean || event.mask != 0) return;
    Group* group = responsible_for(event.mask_set_by);
    if (group == nullptr || (verdict.mode & kUsualMask) == 0) return;
    const bool device = event.kind == trace::Kind::chardev || event.kind == trace::Kind::blockdev;
    if (device || event.kind == trace::Kind::tmpfile) return;
    const Mode usual = predict(facts_of(event), kUsualMask).steps.back().mode;
    if (usual == verdict.mode) return;  // an ACL decided, not the mask
    creation.claimed = true;
    if (!collector_.wanted(RuleId::umask_zero, event.path)) return;
    // Who connects to a server's socket changes nothing by that.
    const Mode writers = event.kind == trace::Kind::socket ? 0 : verdict.mode & 2;
    const bool opened = (writers & collector_.reach().of(event)) != 0;
    const Severity severity = opened ? Severity::warning : Severity::note;
    group->finding.severity = std::max(group->finding.severity, severity);
    collector_.add_victim(*group, event, kUsualMask, usual, severity);
  }

  void tell() override {
    for (Group* group : groups_) {
      if (group->united) continue;
      Finding& finding = group->finding;
      const bool inherited = finding.culprit->call.empty();
      finding.message = inherited ? "the program was started with umask 0000"
                                  : thread_text(*finding.culprit) + " sets umask 0000 for good";
      if (finding.victims.empty()) continue;
      const Victim& victim = finding.victims.front();
      finding.message += "; " + counted(finding.count, "object") +
                         " came out writable for more than the owner, first '" + victim.path +
                         "' as " + octal(victim.mode) + " where umask 0022 gives " +
                         octal(victim.expected);
      collector_.add_births(finding);
    }
  }

 private:
  // Null: nobody who is reported. Without a call the mask was inherited.
  Group* responsible_for(const std::optional<std::uint64_t>& call) const {
    if (!call) return inherited_;
    const auto found = by_change_.find(*call);
    return found == by_change_.end() ? nullptr : found->second;
  }
  void begin(Group& group, EventRef culprit) {
    group.finding.culprit = std::move(culprit);
    groups_.push_back(&group);
  }

  Collector& collector_;
  std::vector<Group*> groups_;
  Group* inherited_ = nullptr;
  std::unordered_map<std::uint64_t, Group*> by_change_;  // UmaskEvent::id
  std::unordered_set<std::uint32_t> pids_;
};

}  // namespace

CheckPtr make_zero_check(Collector& collector) { return std::make_unique<ZeroCheck>(collector); }

}  // namespace umaskaudit::rules

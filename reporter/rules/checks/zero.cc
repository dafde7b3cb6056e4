// umask-zero: a process that lives with an empty mask, and what that opened.
// Must never count an object that says itself who may write it: 0644 under umask 0 is 0644. It
// hides nothing that the objects' modes and names say by themselves.
#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"

namespace umaskaudit::rules {
namespace {

// Where it is not known which mask was in force before.
constexpr Mode kUsualMask = 022;

class ZeroCheck : public Check {
 public:
  explicit ZeroCheck(Collector& collector) : collector_(collector) {}

  void on_change(const UmaskEvent& event, const Change& change) override {
    if (event.new_mask != 0) return;
    // It changes nothing, as when mkdir(1) -p clears the mask for a moment: the call that set the
    // empty mask answers for it.
    if (event.old_mask == 0) {
      const Cause earlier = responsible_for(event.old_set_by, event.old_setter_dropped);
      if (earlier.group != nullptr) {
        by_change_[event.id] = earlier;
        return;
      }
    }
    if (change.role != Change::Role::settles) return;
    bool fresh = false;
    Group& group = collector_.group({.rule = RuleId::umask_zero, .culprit = event}, &fresh);
    if (fresh) begin(group, event_ref(event));
    by_change_[event.id] = {&group, event.old_mask};
  }

  void on_event(const Event& event) override {
    const auto* process = std::get_if<ProcessEvent>(&event);
    if (process == nullptr) return;
    // Children would repeat their parent's finding.
    const bool child = pids_.count(process->ppid) != 0 || pids_.count(process->pid) != 0;
    pids_.insert(process->pid);
    const bool known = process->mask_source != trace::MaskSource::unknown;
    if (child || process->mask != 0 || !known) return;
    bool fresh = false;
    Group& group = collector_.group({.rule = RuleId::umask_zero, .culprit = *process}, &fresh);
    if (fresh) begin(group, event_ref(*process));
    inherited_ = {&group, 0};
  }

  void on_create(CheckedCreation& creation) override {
    const CreateEvent& event = creation.event;
    const Verdict& verdict = creation.verdict;
    if (creation.claimed || verdict.kind != Verdict::Kind::clean || event.mask != 0) return;
    const Cause cause = responsible_for(event.mask_set_by, event.mask_setter_dropped);
    // A call that requests write access for the group at most has chosen who may write.
    if (cause.group == nullptr || (verdict.mode & event.requested & 02) == 0) return;
    const bool device = event.kind == trace::Kind::chardev || event.kind == trace::Kind::blockdev;
    if (device || event.kind == trace::Kind::tmpfile) return;
    const Mode mask = cause.before != 0 ? cause.before : kUsualMask;
    const Mode usual = predicted_mode(facts_of(event), mask);
    if (usual == verdict.mode) return;  // an ACL decided, not the mask
    if (!collector_.wanted(RuleId::umask_zero, event)) return;
    Group* group = cause.group;
    if (cause.before == 0 && group->finding.count == 0) guessed_.insert(group);
    // Connecting to a server's socket changes no data by itself.
    const Mode writers = event.kind == trace::Kind::socket ? 0 : verdict.mode & 2;
    const bool opened = (writers & collector_.private_directories().of(event)) != 0;
    const Severity severity = opened ? Severity::warning : Severity::note;
    group->finding.severity = std::max(group->finding.severity, severity);
    collector_.add_victim(*group, event, mask, usual, severity);
  }

  void report() override {
    for (Group* group : groups_) {
      Finding& finding = group->finding;
      const bool inherited = finding.culprit->call.empty();
      // tar(1), install(1) and others begin so, and pass the mode of all that they make.
      if (finding.victims.empty() && !inherited && !collector_.is_threaded(*group)) continue;
      finding.message = inherited ? "the program was started with umask 0000"
                                  : who_text(finding) + " set umask 0000 and never restored it";
      if (finding.victims.empty()) continue;
      const Victim& victim = finding.victims.front();
      finding.message += "; others can write " + counted(finding.count, "object") + ", e.g. '" +
                         victim.path + "': " + octal(victim.mode) + " where " +
                         (guessed_.contains(group) ? "the usual umask, " : "the umask before, ") +
                         octal(victim.expected_mask) + ", gives " + octal(victim.expected);
      collector_.add_births(finding);
    }
  }

 private:
  struct Cause {
    Group* group = nullptr;  // null: it is not reported
    Mode before = 0;         // the mask in whose place the empty one came; 0: not known
  };

  // Without a call the mask was inherited, unless its record was dropped.
  Cause responsible_for(const std::optional<std::uint64_t>& call, bool dropped) const {
    if (!call) return dropped ? Cause{} : inherited_;
    const auto found = by_change_.find(*call);
    return found == by_change_.end() ? Cause{} : found->second;
  }
  void begin(Group& group, EventRef culprit) {
    group.finding.culprit = std::move(culprit);
    groups_.push_back(&group);
  }

  Collector& collector_;
  std::vector<Group*> groups_;
  std::unordered_set<const Group*> guessed_;  // the mask before is not known for the first object
  Cause inherited_;
  std::unordered_map<std::uint64_t, Cause> by_change_;  // UmaskEvent::id
  std::unordered_set<std::uint32_t> pids_;
};

}  // namespace

CheckPtr make_zero_check(const CheckParts& parts) {
  return std::make_unique<ZeroCheck>(parts.collector);
}

}  // namespace umaskaudit::rules

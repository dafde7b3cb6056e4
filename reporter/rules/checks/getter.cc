// getter-idiom: umask(x) and umask(old) with nothing in between.
// Must never report a window in which its own thread did something: that is what umask is for; nor
// one of a program that never has a second thread.
#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"

namespace umaskaudit::rules {
namespace {

class GetterCheck : public Check {
 public:
  explicit GetterCheck(Collector& collector) : collector_(collector) {}

  void on_change(const UmaskEvent& event, const Change& change) override {
    if (change.role != Change::Role::restores) return;
    const MaskWindow& window = *change.window;
    if (window.nested || window.own_actions > 0 || event.drift) return;
    if (window.idle) return;  // nobody could meet another mask
    bool fresh = false;
    Group& group = collector_.group(
        {.rule = RuleId::getter_idiom, .culprit = window.open, .mask = window.open.new_mask},
        &fresh);
    Finding& finding = group.finding;
    if (fresh) {
      finding.culprit = event_ref(window.open);
      finding.culprit_end = event_ref(event);
      groups_.push_back(&group);
    }
    // With one thread nobody can be hit.
    if (change.threaded) finding.severity = Severity::warning;
    finding.count += event.folded.count;
    collector_.add_window(group, change.window);
  }

  void tell() override {
    for (Group* group : groups_) {
      // Where there is one thread from beginning to end, nobody ever can: install(1), tar(1) and
      // the umask command of dash(1) begin so.
      if (!collector_.is_threaded(*group)) continue;
      Finding& finding = group->finding;
      const bool once = finding.count == 1;
      finding.message = who_text(finding) + " changed the umask to " +
                        octal(finding.window->mask_inside) + " and put it back" +
                        (once ? "" : " " + counted(finding.count, "time")) +
                        ", made nothing in between, and left it so for " + (once ? "" : "up to ") +
                        duration_text(finding.window->longest_ns) +
                        (finding.severity == Severity::note ? "; no other thread ran at the time"
                                                            : "; other threads ran meanwhile");
      collector_.add_births(finding);
    }
  }

 private:
  Collector& collector_;
  std::vector<Group*> groups_;
};

}  // namespace

CheckPtr make_getter_check(const CheckParts& parts) {
  return std::make_unique<GetterCheck>(parts.collector);
}

}  // namespace umaskaudit::rules

// getter-idiom: umask(x) and umask(old) with nothing in between.
// Must never report a window in which its own thread did something: that is what umask is for.
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
    Group& group = collector_.group(RuleId::getter_idiom, window.open.stack, StackRef{}, 0, &fresh);
    Finding& finding = group.finding;
    if (fresh) {
      finding.culprit = event_ref(window.open);
      finding.culprit_end = event_ref(event);
      groups_.push_back(&group);
    }
    // With one thread nobody can be hit: bad style, no bug.
    if (change.threaded) finding.severity = Severity::warning;
    ++finding.count;
    collector_.add_window(group, change.window);
  }

  void tell() override {
    for (Group* group : groups_) {
      if (group->united) continue;
      Finding& finding = group->finding;
      finding.message = thread_text(*finding.culprit) + " sets umask " +
                        octal(finding.window->mask_inside) + " only to learn the old one, " +
                        counted(finding.count, "time") + ", for up to " +
                        duration_text(finding.window->longest_ns) +
                        (finding.severity == Severity::note ? "; no other thread was there to see"
                                                            : "; other threads run meanwhile");
      collector_.add_births(finding);
    }
  }

 private:
  Collector& collector_;
  std::vector<Group*> groups_;
};

}  // namespace

CheckPtr make_getter_check(Collector& collector) {
  return std::make_unique<GetterCheck>(collector);
}

}  // namespace umaskaudit::rules

// getter-idiom: umask(x) and umask(old) with nothing in between.
// Must never report a window in which its own thread did something: that is what umask is for; nor
// one of a program that never has a second thread.
#include <map>
#include <unordered_map>
#include <utility>

#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"

namespace umaskaudit::rules {
namespace {

class GetterCheck : public Check {
 public:
  GetterCheck(Collector& collector, const FindOptions& options)
      : collector_(collector), runtime_idiom_(options.runtime_idiom) {}

  void on_change(const UmaskEvent& event, const Change& change) override {
    if (change.role != Change::Role::restores) return;
    const MaskWindow& window = *change.window;
    if (window.nested || window.own_actions > 0 || event.drift) return;
    if (window.idle) return;  // the mask in force was the same
    bool fresh = false;
    Group& group = collector_.group(
        {.rule = RuleId::getter_idiom, .culprit = window.open, .mask = window.open.new_mask},
        &fresh);
    Finding& finding = group.finding;
    if (fresh) {
      finding.culprit = event_ref(window.open);
      finding.culprit_end = event_ref(event);
      index_[&group] = groups_.size();
      groups_.push_back({&group, runtime_of(window.open, event)});
    }
    Idiom& idiom = groups_[index_.at(&group)];
    if (!idiom.runtime.empty() && idiom.runtime != runtime_of(window.open, event))
      idiom.runtime.clear();
    idiom.threaded = idiom.threaded || change.threaded;
    finding.count += event.folded.count;
    collector_.add_window(group, change.window);
  }

  void report() override {
    for (const Idiom& idiom : groups_) {
      Group* const group = idiom.group;
      // Where there is one thread from beginning to end, it can never hit another one: install(1),
      // tar(1) and the umask command of dash(1) begin so.
      if (!collector_.is_threaded(*group)) continue;
      Finding& finding = group->finding;
      // With one thread nothing can be hit; and a script's author cannot change what its runtime
      // does.
      if (idiom.threaded && idiom.runtime.empty()) finding.severity = Severity::warning;
      const bool once = finding.count == 1;
      const std::string times = once ? "" : ' ' + grouped(finding.count) + " times";
      const std::string held =
          once ? " (for " + duration_text(finding.window->longest_ns) + ")"
               : " (up to " + duration_text(finding.window->longest_ns) + " each)";
      const std::string mask = octal(finding.window->mask_inside);
      finding.message = who_text(finding);
      if (idiom.runtime.empty())
        finding.message += " set the umask to " + mask + " and back" +
                           std::string(once ? "" : ",") + times + held +
                           ", creating nothing in between";
      else
        finding.message += " read the umask" + times + ", which " + idiom.runtime +
                           " does by setting it to " + mask + " and back" + held;
      finding.message += idiom.threaded ? ", while other threads were running"
                                        : "; harmless here: no other thread was running";
      collector_.add_births(finding);
    }
  }

 private:
  struct Idiom {
    Group* group = nullptr;
    std::string runtime;    // that made all of them by itself; empty: there is none
    bool threaded = false;  // other threads ran
  };

  const std::string& runtime_of(const UmaskEvent& sets, const UmaskEvent& restores) {
    const auto key = [](StackRef ref) { return std::uint64_t{ref.segment} << 32 | ref.id; };
    const auto [entry, fresh] = runtimes_.try_emplace({key(sets.stack), key(restores.stack)});
    const bool known = sets.stack.id != 0 && restores.stack.id != 0;
    if (fresh && known && runtime_idiom_)
      entry->second = runtime_idiom_(sets.stack, restores.stack);
    return entry->second;
  }

  Collector& collector_;
  const std::function<std::string(StackRef, StackRef)>& runtime_idiom_;
  std::vector<Idiom> groups_;
  std::unordered_map<const Group*, std::size_t> index_;                      // in groups_
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> runtimes_;  // by stacks
};

}  // namespace

CheckPtr make_getter_check(const CheckParts& parts) {
  return std::make_unique<GetterCheck>(parts.collector, parts.options);
}

}  // namespace umaskaudit::rules

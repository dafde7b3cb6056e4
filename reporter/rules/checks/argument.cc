// chmod-style-argument: umask() called with the mode that was wanted.
// Must never report a mask that makes sense: 0666 and 0777 say that nothing is to be
// created, 0177 and 0111 are masks.
#include <utility>

#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"

namespace umaskaudit::rules {
namespace {

// A mask takes more from others than from the owner; a mode gives the owner the most. One that
// takes reading away from the owner and nothing from others that the owner keeps is a mode. Not so
// one that leaves no file readable or writable for any user: it was set to prevent creations.
bool looks_like_mode(std::uint32_t argument) {
  const std::uint32_t owner = argument >> 6 & 7;
  const std::uint32_t group = argument >> 3 & 7;
  const std::uint32_t other = argument & 7;
  if ((argument & 0666) == 0666) return false;
  return (owner & 4) != 0 && (group & ~owner) == 0 && (other & ~group) == 0;
}

class ArgumentCheck : public Check {
 public:
  explicit ArgumentCheck(Collector& collector) : collector_(collector) {}

  void on_change(const UmaskEvent& event, const Change& change) override {
    // A call that restores the mask it found did not choose it.
    if (change.role == Change::Role::restores || !looks_like_mode(event.argument)) return;
    bool fresh = false;
    Group& group = collector_.group(
        {.rule = RuleId::chmod_style_argument, .culprit = event, .mask = event.new_mask}, &fresh);
    Finding& finding = group.finding;
    finding.count += event.folded.count;
    if (!fresh) return;
    finding.culprit = event_ref(event);
    const Mode meant = 0777 & ~event.new_mask;
    finding.message = quoted_thread(*finding.culprit) + " calls umask(" + octal(event.argument) +
                      "): new files lose " + octal(event.new_mask & 0666) + " and keep at most " +
                      octal(meant & 0666) + "; to get files of mode " + octal(event.new_mask) +
                      " the mask is " + octal(meant);
    collector_.add_births(finding);
  }

 private:
  Collector& collector_;
};

// unseen-writer: the kernel's old mask is not the last one that we saw set.
class DriftCheck : public Check {
 public:
  explicit DriftCheck(Collector& collector) : collector_(collector) {}

  void on_change(const UmaskEvent& event, const Change& /*change*/) override {
    const auto [last, first_of_context] = last_.try_emplace(event.fs, event);
    if (!event.drift || event.drift_set_by) {  // the other process is known
      last->second = event;
      return;
    }
    const UmaskEvent before = std::exchange(last->second, event);
    bool fresh = false;
    Group& group = collector_.group({.rule = RuleId::unseen_writer, .culprit = event}, &fresh);
    Finding& finding = group.finding;
    ++finding.count;
    if (!fresh) return;
    finding.culprit = event_ref(event);
    if (!first_of_context)
      finding.steps.push_back(
          {event_ref(before), "sets " + octal(before.new_mask) + ", the last change seen"});
    finding.steps.push_back({event_ref(event), "finds " + octal(event.old_mask)});
    finding.message = "code that was not seen changed the umask from " + octal(event.cached) +
                      " to " + octal(event.old_mask) + " before " +
                      quoted_thread(*finding.culprit) + " called umask";
  }

 private:
  Collector& collector_;
  std::unordered_map<std::uint32_t, UmaskEvent> last_;  // by context
};

}  // namespace

CheckPtr make_argument_check(const CheckParts& parts) {
  return std::make_unique<ArgumentCheck>(parts.collector);
}

CheckPtr make_drift_check(const CheckParts& parts) {
  return std::make_unique<DriftCheck>(parts.collector);
}

}  // namespace umaskaudit::rules

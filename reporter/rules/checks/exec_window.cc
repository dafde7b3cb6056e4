// exec-in-window: a child or a new image that got another thread's temporary mask for life.
// Must never report a process whose own record does not say that it was born with that mask.
#include <optional>
#include <unordered_map>
#include <utility>

#include "reporter/rules/check.h"
#include "reporter/rules/checks/words.h"

namespace umaskaudit::rules {
namespace {

class ExecCheck : public Check {
 public:
  ExecCheck(Collector& collector, const Timeline& timeline, std::uint64_t whole_since_ns)
      : collector_(collector), timeline_(timeline), whole_since_ns_(whole_since_ns) {}

  // A mask that the child sets itself is not inherited.
  void on_change(const UmaskEvent& event, const Change& /*change*/) override {
    if (expected_.empty() && early_.empty()) return;
    expected_.erase(event.tid);
    early_.erase(event.tid);
  }

  void on_event(const Event& event) override {
    if (const auto* fork = std::get_if<ForkEvent>(&event)) {
      const auto early = early_.find(fork->child);
      if (early == early_.end()) return expect(fork->child, *fork);
      const ProcessEvent child = early->second;
      early_.erase(early);
      judge(start_of(*fork), child);
    } else if (const auto* exec = std::get_if<ExecEvent>(&event)) {
      // The context of a posix_spawn child is not known: its parent's fork record is used.
      if (exec->error == 0 && timeline_.heritage(exec->fs, exec->tid)) expect(exec->pid, *exec);
    } else if (const auto* process = std::get_if<ProcessEvent>(&event)) {
      const auto found = expected_.find(process->pid);
      if (found == expected_.end()) {
        early_[process->pid] = *process;  // its parent has not come back from fork(2) yet
        return;
      }
      judge(found->second, *process);
      expected_.erase(found);
    }
  }

 private:
  struct Start {
    EventBase cause;
    std::optional<Mode> mask;  // that the child should get
  };

  Start start_of(const EventBase& cause) const {
    return {cause, timeline_.heritage(cause.fs, cause.tid)};
  }
  void expect(std::uint32_t pid, const EventBase& cause) { expected_[pid] = start_of(cause); }

  void judge(const Start& start, const ProcessEvent& process) {
    if (!start.mask || process.mask == *start.mask) return;
    if (start.cause.time_ns < whole_since_ns_) return;  // what it should get may have been dropped
    if (process.mask_source == trace::MaskSource::unknown) return;
    // It started with a mask that its parent thread did not set: find the thread that did.
    const EventBase& cause = start.cause;
    const WindowPtr window = timeline_.window_of(cause.fs, cause.tid, process.mask);
    const std::string exe(process.exe);
    if (!window || !collector_.wanted(RuleId::exec_in_window, exe)) return;
    bool fresh = false;
    Group& group = collector_.group(
        {.rule = RuleId::exec_in_window, .culprit = window->open, .victim = &cause}, &fresh);
    Finding& finding = group.finding;
    ++finding.count;
    collector_.add_window(group, window);
    if (!fresh) return;
    finding.culprit = event_ref(window->open);
    const EventRef cause_ref = event_ref(cause);
    Victim victim;
    victim.event = cause_ref;
    victim.path = exe;
    victim.mask = process.mask;
    victim.expected_mask = *start.mask;
    finding.victims.push_back(std::move(victim));
    finding.message = "process " + std::to_string(process.pid) + " ('" + exe +
                      "') was started by " + quoted_thread(cause_ref) + " while " +
                      quoted_thread(*finding.culprit) + " had temporarily set umask " +
                      octal(process.mask) + ", and keeps it instead of " + octal(*start.mask);
    collector_.add_births(finding);
  }

  Collector& collector_;
  const Timeline& timeline_;
  const std::uint64_t whole_since_ns_;
  // By the child's pid.
  std::unordered_map<std::uint32_t, Start> expected_;
  std::unordered_map<std::uint32_t, ProcessEvent> early_;
};

}  // namespace

CheckPtr make_exec_check(const CheckParts& parts) {
  return std::make_unique<ExecCheck>(parts.collector, parts.timeline, parts.options.whole_since_ns);
}

}  // namespace umaskaudit::rules

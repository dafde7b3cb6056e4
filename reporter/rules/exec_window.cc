// exec-in-window: a child or a new image that got another thread's temporary mask for life.
// Must never report a process whose own record does not say that it was born with that mask.
#include <unordered_map>
#include <utility>

#include "reporter/rules/check.h"
#include "reporter/rules/words.h"

namespace umaskaudit::rules {
namespace {

class ExecCheck : public Check {
 public:
  ExecCheck(Collector& collector, const Timeline& timeline)
      : collector_(collector), timeline_(timeline) {}

  void on_event(const Event& event) override {
    if (const auto* fork = std::get_if<ForkEvent>(&event)) {
      // The child may have recorded itself before its parent came back from fork(2).
      const auto early = early_.find(fork->child);
      if (early != early_.end()) {
        const ProcessEvent child = early->second;
        early_.erase(early);
        judge(event_ref(*fork), timeline_.inheritance(fork->fs, fork->tid), child);
      } else {
        expect(fork->child, *fork);
      }
    } else if (const auto* exec = std::get_if<ExecEvent>(&event)) {
      if (exec->error == 0) expect(exec->pid, *exec);
    } else if (const auto* process = std::get_if<ProcessEvent>(&event)) {
      const auto found = expected_.find(process->pid);
      if (found == expected_.end()) {
        early_[process->pid] = *process;
        return;
      }
      judge(found->second.first, found->second.second, *process);
      expected_.erase(found);
    }
  }

 private:
  void expect(std::uint32_t pid, const EventBase& cause) {
    expected_[pid] = {event_ref(cause), timeline_.inheritance(cause.fs, cause.tid)};
  }

  void judge(const EventRef& cause, const Inheritance& inherited, const ProcessEvent& process) {
    if (!inherited.window || process.mask != inherited.mask) return;
    if (process.mask_source == trace::MaskSource::unknown) return;
    const std::string exe(process.exe);
    if (!collector_.wanted(RuleId::exec_in_window, exe)) return;
    bool fresh = false;
    const StackRef opener = inherited.window->open.stack;
    Group& group = collector_.group(RuleId::exec_in_window, opener, cause.stack, 0, &fresh);
    Finding& finding = group.finding;
    ++finding.count;
    collector_.add_window(group, inherited.window);
    if (!fresh) return;
    finding.culprit = event_ref(inherited.window->open);
    Victim victim;
    victim.event = cause;
    victim.path = exe;
    victim.mask = inherited.mask;
    victim.expected_mask = inherited.expected;
    finding.victims.push_back(std::move(victim));
    finding.message = "process " + std::to_string(process.pid) + " ('" + exe +
                      "') was started by " + thread_text(cause) + " while " +
                      thread_text(*finding.culprit) + " held umask " + octal_text(inherited.mask) +
                      ", and keeps it instead of " + octal_text(inherited.expected);
    collector_.add_births(finding);
  }

  Collector& collector_;
  const Timeline& timeline_;
  std::unordered_map<std::uint32_t, std::pair<EventRef, Inheritance>> expected_;  // by pid
  std::unordered_map<std::uint32_t, ProcessEvent> early_;
};

}  // namespace

CheckPtr make_exec_check(Collector& collector, const Timeline& timeline) {
  return std::make_unique<ExecCheck>(collector, timeline);
}

}  // namespace umaskaudit::rules

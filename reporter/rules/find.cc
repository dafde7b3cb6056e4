// The engine: two readings of the events, all checks over the second, one list of findings.
// Must never be the place of a rule: those are in the checks.
#include "reporter/rules/find.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "reporter/rules/check.h"
#include "reporter/rules/fates.h"
#include "reporter/rules/fingerprint.h"
#include "reporter/rules/policy.h"
#include "reporter/rules/reach.h"
#include "reporter/rules/timeline.h"

namespace umaskaudit {
namespace rules {
namespace {

// What must be known of a run before its first event is judged.
struct FirstReading {
  Fates fates;
  ChmodTargets targets;
};

FirstReading read_first(const EventSource& source) {
  FirstReading first;
  FateReader fates;
  source([&](const Event& event) {
    fates.feed(event);
    first.targets.feed(event);
    return true;
  });
  first.fates = fates.finish();
  return first;
}

class Engine : public TimelineSink {
 public:
  Engine(FirstReading first, const FindOptions& options)
      : options_(options),
        collector_(options_, reach_),
        fates_(std::move(first.fates)),
        timeline_(fates_, *this) {
    if (options.policy != nullptr)
      options_.secret_names.insert(options_.secret_names.end(),
                                   options.policy->secret_names.begin(),
                                   options.policy->secret_names.end());
    checks_.push_back(make_overlap_check(collector_));
    checks_.push_back(make_lost_check(collector_));
    checks_.push_back(make_exec_check(collector_, timeline_));
    checks_.push_back(make_getter_check(collector_));
    checks_.push_back(make_argument_check(collector_));
    checks_.push_back(make_drift_check(collector_));
    checks_.push_back(make_zero_check(collector_));
    checks_.push_back(make_exposure_check(collector_, options_));
    checks_.push_back(make_chmod_check(collector_, std::move(first.targets)));
    if (options.policy != nullptr)
      checks_.push_back(make_policy_check(collector_, *options.policy));
  }

  void feed(const Event& event) {
    if (options_.on_event) options_.on_event(event);
    end_ns_ =
        std::max(end_ns_, std::visit([](const EventBase& base) { return base.time_ns; }, event));
    if (const auto* thread = std::get_if<ThreadCreateEvent>(&event))
      collector_.thread_created(*thread);
    if (const auto* chmod = std::get_if<ChmodEvent>(&event)) reach_.see(*chmod);
    const bool judged =
        std::holds_alternative<UmaskEvent>(event) || std::holds_alternative<CreateEvent>(event);
    if (!judged)
      for (const CheckPtr& check : checks_) check->on_event(event);
    timeline_.feed(event);
  }

  FindResult finish() {
    timeline_.finish();
    for (const CheckPtr& check : checks_) check->finish(end_ns_);
    collector_.unite(end_ns_);
    for (const CheckPtr& check : checks_) check->tell();
    result_.findings = collector_.take();
    std::erase_if(result_.findings, [](const Finding& finding) { return finding.message.empty(); });
    sort_worst_first(result_.findings);
    return std::move(result_);
  }

  void on_change(const UmaskEvent& event, const Change& change) override {
    ++result_.stats.mask_changes;
    if (change.role == Change::Role::restores) ++result_.stats.windows;
    if (change.role == Change::Role::leaks && options_.on_window) options_.on_window({event.id, 0});
    for (const CheckPtr& check : checks_) check->on_change(event, change);
  }

  void on_create(const CreateEvent& event, const Verdict& verdict) override {
    count(verdict);
    reach_.see(event);
    Case creation{event, verdict};
    for (const CheckPtr& check : checks_) check->on_create(creation);
  }

  void on_closed(const MaskWindow& window) override {
    collector_.window_closed(window);
    if (options_.on_window) options_.on_window({window.open.id, window.close.id});
  }

 private:
  void count(const Verdict& verdict) {
    FindStats& stats = result_.stats;
    if (verdict.kind == Verdict::Kind::no_object) return;
    const bool open = verdict.kind == Verdict::Kind::unresolved;
    ++stats.creations;
    stats.ambiguous += verdict.ambiguous ? 1 : 0;
    stats.resolved += verdict.ambiguous && !open ? 1 : 0;
    stats.unresolved += open ? 1 : 0;
  }

  FindOptions options_;
  FindResult result_;
  Reach reach_;
  Collector collector_;
  Fates fates_;
  Timeline timeline_;
  std::vector<CheckPtr> checks_;
  std::uint64_t end_ns_ = 0;
};

}  // namespace
}  // namespace rules

namespace {

// `outline`: the same events, with no more than the first reading looks at.
FindResult find_twice(const EventSource& outline, const EventSource& source,
                      const FindOptions& options) {
  rules::Engine engine(rules::read_first(outline), options);
  source([&](const Event& event) {
    engine.feed(event);
    return true;
  });
  return engine.finish();
}

}  // namespace

FindResult find(const EventSource& source, const FindOptions& options) {
  return find_twice(source, source, options);
}

FindResult find(const Run& run, const FindOptions& options) {
  using Visit = std::function<bool(const Event&)>;
  return find_twice([&run](const Visit& visit) { run.for_each(visit, Detail::outline); },
                    [&run](const Visit& visit) { run.for_each(visit); }, options);
}

}  // namespace umaskaudit

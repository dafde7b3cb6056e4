// Check: the interface of a family of rules, which is called for every event in the order of the
// run.
// Must never look ahead or keep events: a check keeps groups, and what it must know of objects.
// Each is made by a function declared at the end; rules.def has the order in which they run.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "reporter/rules/chmod_targets.h"
#include "reporter/rules/collector.h"
#include "reporter/rules/find.h"
#include "reporter/rules/timeline.h"

namespace umaskaudit::rules {

// A creation as the checks see it, one after the other.
struct CheckedCreation {
  const CreateEvent& event;
  const Verdict& verdict;
  // The severity of a finding that names the cause. Later checks do not repeat what the mode alone
  // would say and is no worse; they still judge the name.
  std::optional<Severity> claimed;
};

class Check {
 public:
  virtual ~Check() = default;
  virtual void on_change(const UmaskEvent& /*event*/, const Change& /*change*/) {}
  virtual void on_create(CheckedCreation& /*creation*/) {}
  // Everything else.
  virtual void on_event(const Event& /*event*/) {}
  // The run is over, and the object is there, with another mode or name than at its birth.
  virtual void on_last(const LastSeen& /*last*/) {}
  // After that: complete what the groups say. `end_ns` is the time of the last event.
  virtual void finish(std::uint64_t /*end_ns*/) {}
  // Counts are final, and the examples have their last state: write the messages.
  virtual void report() {}
};

using CheckPtr = std::unique_ptr<Check>;

// What checks are made from; all of it but `targets` outlives them.
struct CheckParts {
  Collector& collector;
  const Timeline& timeline;
  const FindOptions& options;
  ChmodTargets& targets;  // of one check, which takes them
};

// Null where there is nothing to check.
#define CHECK(name) CheckPtr make_##name##_check(const CheckParts& parts);
#include "reporter/rules/rules.def"

}  // namespace umaskaudit::rules

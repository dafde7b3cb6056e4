// What a check is: one family of rules, told of everything in the order of the run.
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

// A creation on its way past the checks.
struct CheckedCreation {
  const CreateEvent& event;
  const Verdict& verdict;
  // How bad a finding is that names the cause: what the mode alone would say, and no worse, later
  // checks need not. What the name says they do.
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
  // Counts are final, and examples know what became of them: write the messages.
  virtual void tell() {}
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

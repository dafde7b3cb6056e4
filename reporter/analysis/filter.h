// Filter: selects the events and findings of a report.
// Must never drop a blind spot or a loss: they are part of every report.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/events/events.h"
#include "reporter/objects/object_lives.h"
#include "reporter/reader/run.h"
#include "reporter/rules/find.h"

namespace umaskaudit::analysis {

// The properties of events that a filter selects by. Rules and severities select findings.
enum class FilterPart : std::uint8_t { path, pid, tid, thread, call, kind, since };

// Empty members select everything; within one member any match is enough. An event without the
// property (a mask change has no path) is not selected when that member is set.
class Filter {
 public:
  std::vector<std::string> paths;  // globs, fnmatch(3); '*' matches '/' too
  std::vector<std::uint32_t> pids;
  std::vector<std::uint32_t> tids;
  std::vector<std::string> threads;  // globs over thread names
  std::vector<std::string> calls;
  std::vector<std::string> kinds;  // "file", "dir", ...
  std::uint64_t since_ns = 0;      // CLOCK_MONOTONIC; earlier events are left out
  // For findings: rule ids, and the least severity. Then only events that a selected finding refers
  // to are selected: see note() and mark().
  std::vector<std::string> rules;
  std::optional<rules::Severity> severity;

  bool selects(const Event& event) const;
  // With `paths`: finds the objects that ever had a matching name, so that all their events are
  // selected, under whatever name. Reads the run twice; no effect without `paths`.
  void find_objects(const reader::Run& run);
  bool selects_path(const std::string& path) const;
  // One matching name of an object is enough.
  bool selects_path(std::span<const std::string> names) const;
  // Selects a finding that refers to a selected event, as its cause or in its examples. With
  // `paths` or `kinds`, one that affects such an object.
  bool selects(const rules::Finding& finding) const;
  // One object that a finding may affect, by rule, severity, path and kind.
  bool selects(const rules::Hit& hit) const;
  bool selects(const rules::FinalHit& hit) const;
  bool empty() const;
  // The same filter without its other parts, and without what mark() narrowed it down to.
  Filter only(FilterPart part) const;
  bool by_finding() const { return !rules.empty() || severity.has_value(); }

  // For FindOptions::on_hit: stores the object, one bit an event.
  void note(const rules::Hit& hit);
  // Restricts the events to those of `findings`, and to those stored by note() for their rules.
  void mark(const std::vector<rules::Finding>& findings);

 private:
  using Events = std::vector<bool>;  // by seq

  bool may_select(const rules::EventRef& event) const;

  bool matches(const ObjectLife& life, const std::vector<std::string>& names) const;

  std::array<Events, rules::kRuleCount> hits_;
  Events of_objects_;  // about an object that had a matching name
  std::optional<Events> named_;
};

// Blind spots and losses: part of every report, whatever is selected or limited.
bool is_never_dropped(const Event& event);

// "1.5s", "200ms", "3m", "2" (seconds) as nanoseconds.
Result<std::uint64_t> parse_duration(const std::string& text);

}  // namespace umaskaudit::analysis

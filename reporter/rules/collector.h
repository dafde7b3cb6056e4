// Findings while they grow: 20,000 hits of one pair of call sites are one finding with a count.
// Must never keep more of a hit than a few examples: memory is bounded by pairs of call sites.
// Filled by the checks, emptied by find.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "reporter/rules/find.h"
#include "reporter/rules/reach.h"
#include "reporter/rules/timeline.h"

namespace umaskaudit::rules {

EventRef event_ref(const EventBase& event);
EventRef event_ref(const UmaskEvent& event);

// A finding and what is needed until it is complete.
struct Group {
  Finding finding;
  // Windows by the seq of their first event.
  std::uint64_t last_window = 0;     // the last one counted
  std::uint64_t example_window = 0;  // the one that the finding shows, while its end is not known
  bool united = false;  // with an earlier one, which speaks for it: nothing is left in `finding`
};

class Collector {
 public:
  // Both must outlive the collector. `reach` is as the events up to the present one leave it.
  Collector(const FindOptions& options, const Reach& reach) : options_(options), reach_(reach) {}

  // The finding of this rule for these call sites; `fresh` tells whether it is new. `variant` keeps
  // apart what one pair of sites may have in several forms. The reference stays valid.
  Group& group(RuleId rule, StackRef culprit, StackRef victim, std::uint64_t variant, bool* fresh);

  // Is this object of concern to the rule at all? Ask before making a group for it.
  bool wanted(RuleId rule, const std::string& path) const;
  const Reach& reach() const { return reach_; }
  // Counts one object and keeps it if it is among the first.
  // `severity`: Hit::severity, where it is not that of the group.
  void add_victim(Group& group, const CreateEvent& event, Mode expected_mask, Mode expected,
                  std::optional<Severity> severity = std::nullopt);
  // Remembers that `window` hit somebody in this group; its length is added when it closes.
  void add_window(Group& group, const WindowPtr& window);
  void window_closed(const MaskWindow& window);

  void thread_created(const ThreadCreateEvent& event);
  // Fills in where the threads of culprit and victim were created.
  void add_births(Finding& finding) const;

  // Windows still open end here. What the same code did, with other stacks or in several
  // processes, becomes one group: the first of its fingerprint.
  void unite(std::uint64_t end_ns);
  // The findings, in the order in which they began.
  std::vector<Finding> take();

 private:
  struct Key {
    RuleId rule;
    StackRef culprit, victim;
    std::uint64_t variant;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  static void account(Group& group, const MaskWindow& window, std::uint64_t end_ns);

  const FindOptions& options_;
  const Reach& reach_;
  std::vector<std::unique_ptr<Group>> groups_;
  std::unordered_map<Key, Group*, KeyHash> by_key_;
  std::unordered_map<const MaskWindow*, std::pair<WindowPtr, std::vector<Group*>>> open_;
  std::unordered_map<std::uint32_t, EventRef> births_;  // by the new thread's id
};

}  // namespace umaskaudit::rules

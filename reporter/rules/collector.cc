// Grouping, counting and examples. See collector.h.
// Must never list an object that the user asked to leave out.
#include "reporter/rules/collector.h"

#include <algorithm>
#include <utility>

#include "reporter/rules/fingerprint.h"

namespace umaskaudit::rules {

EventRef event_ref(const EventBase& event) {
  EventRef ref;
  ref.seq = event.seq;
  ref.time_ns = event.time_ns;
  ref.pid = event.pid;
  ref.tid = event.tid;
  ref.fs = event.fs;
  ref.thread = event.thread;
  ref.call = event.call;
  ref.stack = event.stack;
  return ref;
}

EventRef event_ref(const UmaskEvent& event) {
  EventRef ref = event_ref(static_cast<const EventBase&>(event));
  ref.id = event.id;
  return ref;
}

std::size_t Collector::KeyHash::operator()(const Key& key) const {
  std::uint64_t hash = static_cast<std::uint64_t>(key.rule);
  for (const std::uint64_t part :
       {std::uint64_t{key.culprit.segment}, std::uint64_t{key.culprit.id},
        std::uint64_t{key.victim.segment}, std::uint64_t{key.victim.id}, key.variant})
    hash = (hash ^ part) * 0x9E3779B97F4A7C15U;  // Fibonacci hashing
  return static_cast<std::size_t>(hash ^ hash >> 32);
}

Group& Collector::group(RuleId rule, StackRef culprit, StackRef victim, std::uint64_t variant,
                        bool* fresh) {
  const auto [entry, inserted] = by_key_.try_emplace({rule, culprit, victim, variant}, nullptr);
  if (inserted) {
    groups_.push_back(std::make_unique<Group>());
    entry->second = groups_.back().get();
    Finding& finding = entry->second->finding;
    finding.rule = rule;
    finding.severity = finding.info().severity;
    finding.advice = finding.info().advice;
  }
  *fresh = inserted;
  return *entry->second;
}

bool Collector::wanted(RuleId rule, const std::string& path) const {
  return !options_.skip_object || !options_.skip_object(rule, path);
}

void Collector::add_victim(Group& group, const CreateEvent& event, Mode expected_mask,
                           Mode expected, std::optional<Severity> severity) {
  Finding& finding = group.finding;
  ++finding.count;
  if (options_.on_hit)
    options_.on_hit(
        {finding.rule, event, expected_mask, expected, severity.value_or(finding.severity)});
  if (finding.victims.size() >= options_.max_examples) return;
  // Many findings with a few examples each are most of what the rules keep: no room to spare.
  if (const std::size_t size = finding.victims.size(); size == finding.victims.capacity())
    finding.victims.reserve(std::min(options_.max_examples, 2 * size + 1));
  Victim victim;
  victim.event = event_ref(event);
  victim.path = event.path;
  victim.kind = event.kind;
  victim.requested = event.requested;
  victim.mask = event.mask;
  victim.expected_mask = expected_mask;
  victim.mode = event.final_mode.value_or(event.steps.empty() ? 0 : event.steps.back().mode);
  victim.mode &= 07777U;
  victim.expected = expected;
  victim.ambiguous = !event.ambiguous_masks.empty();
  victim.reached = 0700 | reach_.of(event);
  finding.victims.push_back(std::move(victim));
}

void Collector::add_window(Group& group, const WindowPtr& window) {
  if (group.last_window == window->open.seq) return;
  group.last_window = window->open.seq;
  if (!group.finding.window) {
    group.example_window = window->open.seq;
    Window shown;
    shown.begin_ns = window->open.time_ns;
    shown.mask_before = window->open.old_mask;
    shown.mask_inside = window->open.new_mask;
    group.finding.window = shown;
  }
  if (window->closed) {
    account(group, *window, window->close.time_ns);
    return;
  }
  auto& [kept, groups] = open_[window.get()];
  kept = window;  // so that no other window gets this address while it is a key
  if (std::find(groups.begin(), groups.end(), &group) == groups.end()) groups.push_back(&group);
}

void Collector::account(Group& group, const MaskWindow& window, std::uint64_t end_ns) {
  Window& shown = *group.finding.window;
  const std::uint64_t length = end_ns > window.open.time_ns ? end_ns - window.open.time_ns : 0;
  shown.shortest_ns = shown.count == 0 ? length : std::min(shown.shortest_ns, length);
  shown.longest_ns = std::max(shown.longest_ns, length);
  ++shown.count;
  if (group.example_window != window.open.seq) return;
  shown.end_ns = shown.begin_ns + length;
  shown.open_ended = !window.closed;
  if (window.closed) group.finding.culprit_end = event_ref(window.close);
  group.example_window = 0;
}

void Collector::window_closed(const MaskWindow& window) {
  const auto found = open_.find(&window);
  if (found == open_.end()) return;
  for (Group* group : found->second.second) account(*group, window, window.close.time_ns);
  open_.erase(found);
}

void Collector::thread_created(const ThreadCreateEvent& event) {
  if (event.created_tid != 0) births_[event.created_tid] = event_ref(event);
}

void Collector::add_births(Finding& finding) const {
  if (finding.culprit) {
    const auto birth = births_.find(finding.culprit->tid);
    if (birth != births_.end()) finding.culprit_born = birth->second;
  }
  if (!finding.victims.empty()) {
    const auto birth = births_.find(finding.victims.front().event.tid);
    if (birth != births_.end()) finding.victim_born = birth->second;
  }
}

void Collector::unite(std::uint64_t end_ns) {
  for (const auto& [address, entry] : open_)
    for (Group* group : entry.second) account(*group, *entry.first, end_ns);
  open_.clear();
  std::unordered_map<std::string, Finding*> first;
  for (const auto& group : groups_) {
    Finding& finding = group->finding;
    finding.fingerprint = fingerprint(finding, options_.symbol_chain);
    const auto [entry, fresh] = first.try_emplace(finding.fingerprint, &finding);
    if (fresh) continue;
    group->united = true;
    merge(*entry->second, finding, options_.max_examples);
    finding = Finding();
  }
}

std::vector<Finding> Collector::take() {
  std::vector<Finding> findings;
  const auto speaks = [](const auto& group) { return !group->united; };
  findings.reserve(static_cast<std::size_t>(std::count_if(groups_.begin(), groups_.end(), speaks)));
  for (auto& group : groups_) {
    if (!group->united) findings.push_back(std::move(group->finding));
    group.reset();
  }
  groups_.clear();
  by_key_.clear();
  return findings;
}

}  // namespace umaskaudit::rules

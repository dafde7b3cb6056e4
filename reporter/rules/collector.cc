// Grouping, counting and examples. See collector.h.
// Must never list an object that the user asked to leave out.
#include "reporter/rules/collector.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace umaskaudit::rules {
namespace {

// The code behind a stack; where none was recorded, or no frame of it counts, the call.
std::string code_or_call(const std::function<std::string(StackRef)>& name, const EventBase& event,
                         const std::string& program) {
  std::string code = name && event.stack.id != 0 ? name(event.stack) : "";
  if (!code.empty()) return code;
  code = event.call;
  // Threads are named by number as often as not: they stand in where nothing else is known.
  return program.empty() ? code + " in " + std::string(event.thread) : code;
}

PrintBase base_of(const FindingIdentity& identity, std::string_view program) {
  return {identity.rule, identity.subject, program, identity.at_end, identity.whole_program};
}

void sort_unique(std::vector<std::string>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

void sort_unique(std::vector<StackRef>& list) {
  std::sort(list.begin(), list.end(), [](StackRef a, StackRef b) {
    return std::pair(a.segment, a.id) < std::pair(b.segment, b.id);
  });
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

}  // namespace

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

EventBase culprit_of(const ObjectLife& life, Mode bits) {
  const bool made_so = life.created != trace::Created::no && (bits & ~life.born_mode) == 0;
  if (made_so || life.widened_by.seq == 0) return life.born;
  return life.widened_by;
}

std::size_t Collector::KeyHash::operator()(const Key& key) const {
  std::uint64_t hash = key.what;
  for (const std::uint64_t part : {std::uint64_t{key.culprit.segment},
                                   std::uint64_t{key.culprit.id}, std::uint64_t{key.victim.segment},
                                   std::uint64_t{key.victim.id}, std::uint64_t{key.subject}})
    hash = (hash ^ part) * 0x9E3779B97F4A7C15U;  // Fibonacci hashing
  return static_cast<std::size_t>(hash ^ hash >> 32);
}

Group& Collector::group(const FindingIdentity& identity, bool* fresh) {
  *fresh = false;
  const std::uint32_t program = programs_.of(identity.culprit.pid);
  constexpr std::uint64_t kUsed = std::uint64_t{1} << 63;
  Key key{kUsed | std::uint64_t{program} << 16 | static_cast<std::uint64_t>(identity.rule) << 2 |
              (identity.at_end ? 2U : 0U) | (identity.whole_program ? 1U : 0U),
          {},
          {},
          identity.subject.empty() ? 0 : std::hash<std::string_view>()(identity.subject)};
  if (identity.mask) key.subject += 1 + std::size_t{*identity.mask};
  if (identity.born_inside || identity.whole_run) key.subject = ~key.subject;
  if (!identity.whole_program) {
    key.culprit = identity.culprit.stack;
    if (identity.victim != nullptr) key.victim = identity.victim->stack;
  }
  Group*& known = by_key_[key];
  if (known == nullptr) {
    const std::string& name = programs_.name(program);
    const Print print = print_of(identity, name, options_.code ? options_.code : third_name());
    std::string text = fingerprint(print);
    const auto [entry, added] = by_fingerprint_.try_emplace(text, nullptr);
    if (added) {
      groups_.push_back(std::make_unique<Group>());
      entry->second = groups_.back().get();
      Finding& finding = entry->second->finding;
      finding.rule = identity.rule;
      finding.severity = finding.info().severity;
      finding.advice = finding.info().advice;
      finding.subject = identity.subject;
      finding.program = name;
      finding.at_end = identity.at_end;
      if (identity.recorded) finding.culprit = event_ref(identity.culprit);
      finding.fingerprint = std::move(text);
      finding.cause = cause_print(print);
      *fresh = true;
    }
    known = entry->second;
    Finding& finding = known->finding;
    if (options_.source_code) {
      std::string source = fingerprint(print_of(identity, name, options_.source_code));
      if (source != finding.fingerprint) finding.source_prints.push_back(std::move(source));
    }
    if (options_.machine_code && !identity.whole_program)
      finding.code_prints.push_back(fingerprint(print_of(identity, name, options_.machine_code)));
    finding.third_prints.push_back(third_print(identity, name));
    finding.older_prints.push_back(older_print(identity, name));
    finding.culprit_stacks.push_back(identity.culprit.stack);
    if (identity.victim != nullptr) finding.victim_stacks.push_back(identity.victim->stack);
  }
  const std::uint64_t thread = std::uint64_t{identity.culprit.pid} << 32 | identity.culprit.tid;
  if (std::uint64_t& lately = known->lately[thread % known->lately.size()]; lately != thread) {
    lately = thread;
    known->pids.insert(identity.culprit.pid);
    known->tids.insert(identity.culprit.tid);
  }
  return *known;
}

Print Collector::print_of(const FindingIdentity& identity, const std::string& program,
                          const NameOfStack& name) {
  const std::string_view shown = identity.whole_run ? std::string_view() : program;
  Print print{base_of(identity, shown), identity.mask, identity.born_inside, "", ""};
  if (!identity.whole_program) {
    print.culprit = code_or_call(name, identity.culprit, program);
    if (identity.victim != nullptr) print.victim = code_or_call(name, *identity.victim, program);
  }
  return print;
}

const Collector::NameOfStack& Collector::third_name() const {
  if (options_.place) return options_.place;
  return options_.symbol ? options_.symbol : options_.symbol_chain;
}

std::string Collector::third_print(const FindingIdentity& identity,
                                   const std::string& program) const {
  const std::string_view shown = identity.whole_run ? std::string_view() : program;
  ThirdPrint print{base_of(identity, shown), identity.mask, identity.born_inside, ""};
  if (!identity.whole_program) print.code = code_or_call(third_name(), identity.culprit, program);
  return fingerprint(print);
}

std::string Collector::older_print(const FindingIdentity& identity,
                                   const std::string& program) const {
  const NameOfStack& name =
      identity.innermost && options_.symbol ? options_.symbol : options_.symbol_chain;
  OlderPrint print{base_of(identity, program), "", ""};
  if (!identity.whole_program) {
    print.culprit = code_or_call(name, identity.culprit, program);
    if (identity.victim != nullptr) print.victim = code_or_call(name, *identity.victim, program);
  }
  return fingerprint(print);
}

bool Collector::wanted(RuleId rule, std::span<const std::string> names) const {
  return !options_.skip_object || !options_.skip_object(rule, names);
}

bool Collector::wanted(RuleId rule, const std::string& path) const {
  return wanted(rule, std::span(&path, 1));
}

bool Collector::wanted(RuleId rule, const CreateEvent& event) const {
  if (!options_.skip_object) return true;
  const std::vector<std::string>& later = later_.of(event.seq);
  if (event.link.empty() && later.empty()) return wanted(rule, event.path);
  std::vector<std::string> names{event.path, event.link};
  names.insert(names.end(), later.begin(), later.end());
  return wanted(rule, names);
}

// False: there are examples enough.
bool Collector::keep(Group& group, Victim victim) {
  std::vector<Victim>& victims = group.finding.victims;
  if (victims.size() >= options_.max_examples) return false;
  // Many findings with a few examples each are most of what the rules keep: no room to spare.
  if (const std::size_t size = victims.size(); size == victims.capacity())
    victims.reserve(std::min(options_.max_examples, 2 * size + 1));
  victims.push_back(std::move(victim));
  return true;
}

Victim Collector::victim_of(const CreateEvent& event, Mode expected_mask, Mode expected) const {
  Victim victim;
  victim.event = event_ref(event);
  victim.path = event.path;
  victim.kind = event.kind;
  victim.requested = event.requested;
  victim.mask = event.mask;
  victim.expected_mask = expected_mask;
  victim.mode = mode_of(event);
  victim.expected = expected;
  victim.ambiguous = !event.ambiguous_masks.empty();
  victim.reached = 0700 | private_directories_.of(event);
  return victim;
}

void Collector::report_hit(const Hit& hit) {
  if (options_.on_hit && hit.event.seq != 0) options_.on_hit(hit);
  if (!options_.on_final_hit) return;
  const CreateEvent& event = hit.event;
  FinalHit final_hit;
  final_hit.rule = hit.rule;
  final_hit.severity = hit.severity;
  final_hit.at_end = hit.at_end;
  final_hit.seq = event.seq;
  final_hit.pid = event.pid;
  final_hit.tid = event.tid;
  final_hit.kind = event.kind;
  final_hit.requested = event.requested;
  final_hit.mask = event.mask;
  final_hit.expected_mask = hit.expected_mask;
  final_hit.mode = event.final_mode;
  final_hit.expected = hit.expected;
  final_hit.born_path = final_hit.path = event.path;
  pending_[event.seq].push_back(std::move(final_hit));
}

void Collector::add_victim(Group& group, const CreateEvent& event, Mode expected_mask,
                           Mode expected, std::optional<Severity> severity) {
  Finding& finding = group.finding;
  ++finding.count;
  const Severity weight = severity.value_or(finding.severity);
  if (options_.on_hit || options_.on_final_hit)
    report_hit({finding.rule, event, expected_mask, expected, weight, false, finding.fingerprint});
  BirthSeverities* const at_birth = at_birth_.find(birth_key(event.seq));
  if (at_birth != nullptr) {
    const std::uint64_t shift = 2 * static_cast<std::uint64_t>(finding.rule);
    const std::uint64_t now = std::uint64_t{1} + static_cast<std::uint64_t>(weight);
    const std::uint64_t before = at_birth->severities >> shift & 3;
    at_birth->severities &= ~(std::uint64_t{3} << shift);
    at_birth->severities |= std::max(before, now) << shift;
  }
  if (finding.victims.size() >= options_.max_examples) return;
  const bool kept = keep(group, victim_of(event, expected_mask, expected));
  if (kept && at_birth != nullptr) at_birth->example = true;
}

void Collector::show_first(Group& group, const CreateEvent& event, Mode expected_mask,
                           Mode expected) {
  std::vector<Victim>& victims = group.finding.victims;
  if (victims.empty()) return;
  const auto is_it = [&](const Victim& victim) { return victim.event.seq == event.seq; };
  auto place = std::find_if(victims.begin(), victims.end(), is_it);
  if (place == victims.end()) {
    place = std::prev(victims.end());
    *place = victim_of(event, expected_mask, expected);
    if (BirthSeverities* const at_birth = at_birth_.find(birth_key(event.seq)); at_birth != nullptr)
      at_birth->example = true;
  }
  std::rotate(victims.begin(), place, std::next(place));
}

void Collector::add_victim(Group& group, const LastSeen& last, Mode expected, Severity severity) {
  const ObjectLife& life = last.life;
  Finding& finding = group.finding;
  ++finding.count;
  if ((options_.on_hit && last.recorded()) || options_.on_final_hit) {
    CreateEvent event;
    static_cast<EventBase&>(event) = life.born;
    event.kind = life.kind;
    event.path = last.names.front();
    event.requested = life.requested;
    event.mask = life.born_mask;
    event.final_mode = life.mode;
    event.created = life.created;
    event.dev = life.dev;
    event.ino = life.ino;
    report_hit(
        {finding.rule, event, life.born_mask, expected, severity, true, finding.fingerprint});
  }
  Victim victim;
  victim.event = event_ref(life.born);
  victim.recorded = last.recorded();
  victim.path = last.names.front();
  if (life.born_path != victim.path) victim.born_path = life.born_path;
  victim.kind = life.kind;
  victim.requested = life.requested;
  victim.mask = victim.expected_mask = life.born_mask;
  victim.mode = life.mode;
  victim.expected = expected;
  victim.reached = 0700 | last.reached;
  // Of an object that was there before the run it is not known what it was.
  const ModeChange& change = life.widened_by.seq != 0 ? life.widened_by : life.settled_by;
  if (change.seq != 0 && change.seq != life.born.seq) {
    victim.before = change.before;
    victim.changed_to = change.after;
  }
  keep(group, std::move(victim));
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
  const FoldSpan& folded = window.close.folded;
  const bool timed = window.closed && folded.has_times();
  const std::uint64_t shortest = timed ? folded.shortest_ns : length;
  shown.shortest_ns = shown.count == 0 ? shortest : std::min(shown.shortest_ns, shortest);
  shown.longest_ns = std::max(shown.longest_ns, timed ? folded.longest_ns : length);
  shown.count += window.closed ? folded.count : 1;
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

void Collector::see(const Event& event) {
  programs_.see(event);
  // A thread may have been started by a call that was not seen.
  const auto& base =
      std::visit([](const EventBase& one) -> const EventBase& { return one; }, event);
  if (base.tid != base.pid && base.pid != last_threaded_) {
    last_threaded_ = base.pid;
    threaded_.insert(base.pid);
  }
  const auto* thread = std::get_if<ThreadCreateEvent>(&event);
  if (thread == nullptr) return;
  threaded_.insert(thread->pid);
  if (thread->created_tid != 0) births_[thread->created_tid] = event_ref(*thread);
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

bool Collector::is_threaded(const Group& group) const {
  return std::any_of(group.pids.begin(), group.pids.end(),
                     [this](std::uint32_t pid) { return threaded_.contains(pid); });
}

std::optional<Severity> Collector::severity_at_birth(std::uint64_t seq, RuleId rule) const {
  const BirthSeverities* const found = at_birth_.find(birth_key(seq));
  if (found == nullptr) return std::nullopt;
  const std::uint64_t bits = found->severities >> (2 * static_cast<unsigned>(rule)) & 3;
  if (bits == 0) return std::nullopt;
  return static_cast<Severity>(bits - 1);
}

void Collector::object_ends(const ObjectLife& life) {
  const std::uint64_t seq = life.born.seq;
  if (const BirthSeverities* const at_birth = at_birth_.find(birth_key(seq)); at_birth != nullptr) {
    if (at_birth->example) last_names_[seq] = {life.last_path, life.mode};
    at_birth_.erase(birth_key(seq));
  }
  const auto pending = pending_.find(seq);
  if (pending == pending_.end()) return;
  for (FinalHit& hit : pending->second) {
    hit.born_path = life.born_path;
    hit.path = life.last_path;
    hit.last_mode = life.mode;
    hit.state = life.state;
    options_.on_final_hit(hit);
  }
  pending_.erase(pending);
}

void Collector::close(std::uint64_t end_ns) {
  for (const auto& [address, entry] : open_)
    for (Group* group : entry.second) account(*group, *entry.first, end_ns);
  open_.clear();
  for (const auto& group : groups_) {
    group->finding.processes = std::max<std::size_t>(group->pids.size(), 1);
    group->finding.threads = std::max<std::size_t>(group->tids.size(), 1);
    sort_unique(group->finding.source_prints);
    sort_unique(group->finding.code_prints);
    sort_unique(group->finding.third_prints);
    sort_unique(group->finding.older_prints);
    sort_unique(group->finding.culprit_stacks);
    sort_unique(group->finding.victim_stacks);
    if (group->finding.at_end) continue;
    for (Victim& victim : group->finding.victims) {
      const auto last = last_names_.find(victim.event.seq);
      if (last == last_names_.end()) continue;
      if (last->second.path != victim.path) victim.last_path = last->second.path;
      if (last->second.mode != victim.mode) victim.last_mode = last->second.mode;
    }
  }
  if (!options_.on_final_hit) return;
  for (const auto& [seq, hits] : pending_)
    for (const FinalHit& hit : hits) options_.on_final_hit(hit);
  pending_.clear();
}

std::vector<Finding> Collector::take() {
  std::vector<Finding> findings;
  findings.reserve(groups_.size());
  for (auto& group : groups_) {
    findings.push_back(std::move(group->finding));
    group.reset();
  }
  groups_.clear();
  by_key_.clear();
  by_fingerprint_.clear();
  return findings;
}

}  // namespace umaskaudit::rules

// Applies the filter; see filter.h.
// Must never allocate per event.
#include "reporter/analysis/filter.h"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "reporter/objects/local_links.h"

namespace umaskaudit::analysis {
namespace {

// Event paths are std::string, thread names are views into the run: fnmatch needs NUL-terminated
// ones.
bool matches_any(const std::vector<std::string>& globs, const std::string& text) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return fnmatch(glob.c_str(), text.c_str(), 0) == 0;
  });
}

template <typename List, typename Value>
bool selected(const List& list, const Value& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

bool contains(const std::vector<bool>& events, std::uint64_t seq) {
  return seq < events.size() && events[seq];
}

void insert(std::vector<bool>& events, std::uint64_t seq) {
  if (seq >= events.size()) events.resize(seq + 1);
  events[seq] = true;
}

std::uint64_t seq_of(const Event& event) {
  return std::visit([](const EventBase& base) { return base.seq; }, event);
}

struct Property {
  const Filter& filter;
  bool object = false;  // it is about an object that had a matching name

  bool path(const CreateEvent& e) const {
    return matches_any(filter.paths, e.path) ||
           (!e.link.empty() && matches_any(filter.paths, e.link));
  }
  bool path(const ChmodEvent& e) const { return matches_any(filter.paths, e.path); }
  bool path(const RenameEvent& e) const {
    return matches_any(filter.paths, e.from) || matches_any(filter.paths, e.to);
  }
  bool path(const EventBase&) const { return false; }

  bool kind(const CreateEvent& e) const { return selected(filter.kinds, kind_name(e.kind)); }
  bool kind(const EventBase&) const { return false; }

  template <typename T>
  bool operator()(const T& event) const {
    if (!selected(filter.pids, event.pid) || !selected(filter.tids, event.tid)) return false;
    if (event.time_ns < filter.since_ns || !selected(filter.calls, event.call)) return false;
    if (!filter.paths.empty() && !object && !path(event)) return false;
    if (!filter.kinds.empty() && !kind(event)) return false;
    return filter.threads.empty() || matches_any(filter.threads, std::string(event.thread));
  }
  bool operator()(const BlindSpotEvent&) const { return true; }
  bool operator()(const LossEvent&) const { return true; }
  bool operator()(const ProcessEvent& event) const { return selected(filter.pids, event.pid); }
};

}  // namespace

bool Filter::empty() const {
  return paths.empty() && pids.empty() && tids.empty() && threads.empty() && calls.empty() &&
         kinds.empty() && since_ns == 0 && !by_finding();
}

Filter Filter::only(FilterPart part) const {
  Filter one;
  switch (part) {
    case FilterPart::path:
      one.paths = paths;
      one.of_objects_ = of_objects_;
      break;
    case FilterPart::pid:
      one.pids = pids;
      break;
    case FilterPart::tid:
      one.tids = tids;
      break;
    case FilterPart::thread:
      one.threads = threads;
      break;
    case FilterPart::call:
      one.calls = calls;
      break;
    case FilterPart::kind:
      one.kinds = kinds;
      break;
    case FilterPart::since:
      one.since_ns = since_ns;
      break;
  }
  return one;
}

bool Filter::selects(const Event& event) const {
  const bool object = !of_objects_.empty() && contains(of_objects_, seq_of(event));
  if (!std::visit(Property{*this, object}, event)) return false;
  return !named_ || is_never_dropped(event) || contains(*named_, seq_of(event));
}

bool Filter::selects_path(const std::string& path) const {
  return paths.empty() || matches_any(paths, path);
}

bool Filter::matches(const ObjectLife& life, const std::vector<std::string>& names) const {
  if (matches_any(paths, life.born_path) ||
      matches_any(paths, file_path(life.kind, life.born_path)))
    return true;
  const auto match = [this](const std::string& name) { return matches_any(paths, name); };
  return (!life.born_link.empty() && match(life.born_link)) ||
         std::any_of(life.earlier.begin(), life.earlier.end(), match) ||
         std::any_of(names.begin(), names.end(), match) || match(life.last_path);
}

void Filter::find_objects(const reader::Run& run) {
  if (paths.empty()) return;
  std::vector<bool> objects;  // by ObjectLife::id
  const auto look = [&](const ObjectLife& life, const std::vector<std::string>& names) {
    if (matches(life, names)) insert(objects, life.id);
  };
  LifeOptions options;
  options.links = local_links(run);
  options.on_end = [&](const ObjectLife& life) { look(life, {}); };
  ObjectLives first(options);
  run.for_each_folded([&](const Event& event) {
    first.see(event);
    return true;
  });
  first.for_each([&](const ObjectLife& life) { look(life, first.names(life)); });
  options.on_end = nullptr;
  ObjectLives second(std::move(options));
  run.for_each_folded([&](const Event& event) {
    const std::uint64_t object = second.see(event);
    if (object != 0 && contains(objects, object)) insert(of_objects_, seq_of(event));
    return true;
  });
}

bool Filter::selects_path(std::span<const std::string> names) const {
  return paths.empty() || std::any_of(names.begin(), names.end(), [this](const std::string& name) {
           return matches_any(paths, name);
         });
}

bool Filter::may_select(const rules::EventRef& event) const {
  return selected(pids, event.pid) && selected(tids, event.tid) && selected(calls, event.call) &&
         event.time_ns >= since_ns && (threads.empty() || matches_any(threads, event.thread));
}

bool Filter::selects(const rules::Finding& finding) const {
  if (!selected(rules, finding.info().id)) return false;
  if (severity && finding.severity < *severity) return false;
  bool object = paths.empty() && kinds.empty();
  bool event = false;
  for (const rules::Victim& victim : finding.victims) {
    const std::string names[] = {victim.path, victim.born_path, victim.last_path};
    object |= (selects_path(names) || contains(of_objects_, victim.event.seq)) &&
              selected(kinds, kind_name(victim.kind));
    event |= may_select(victim.event);
  }
  for (const rules::SequenceStep& step : finding.steps) event |= may_select(step.event);
  if (finding.culprit) event |= may_select(*finding.culprit);
  if (finding.culprit_end) event |= may_select(*finding.culprit_end);
  return object && event;
}

bool Filter::selects(const rules::Hit& hit) const {
  return selected(rules, rules::rule_info(hit.rule).id) &&
         (!severity || hit.severity >= *severity) &&
         (selects_path(hit.event.path) || contains(of_objects_, hit.event.seq)) &&
         selected(kinds, kind_name(hit.event.kind));
}

bool Filter::selects(const rules::FinalHit& hit) const {
  const std::string names[] = {hit.path, hit.born_path};
  return selected(rules, rules::rule_info(hit.rule).id) &&
         (!severity || hit.severity >= *severity) &&
         (selects_path(names) || contains(of_objects_, hit.seq)) &&
         selected(kinds, kind_name(hit.kind));
}

void Filter::note(const rules::Hit& hit) {
  if (by_finding()) insert(hits_[static_cast<std::size_t>(hit.rule)], hit.event.seq);
}

void Filter::mark(const std::vector<rules::Finding>& findings) {
  Events named;
  for (const rules::Finding& finding : findings) {
    const Events& hits = hits_[static_cast<std::size_t>(finding.rule)];
    if (named.size() < hits.size()) named.resize(hits.size());
    for (std::size_t seq = 0; seq < hits.size(); ++seq)
      if (hits[seq]) named[seq] = true;
    for (const rules::Victim& victim : finding.victims)
      if (victim.recorded) insert(named, victim.event.seq);
    for (const rules::SequenceStep& step : finding.steps) insert(named, step.event.seq);
    if (finding.culprit) insert(named, finding.culprit->seq);
    if (finding.culprit_end) insert(named, finding.culprit_end->seq);
  }
  named_ = std::move(named);
}

bool is_never_dropped(const Event& event) {
  return std::holds_alternative<BlindSpotEvent>(event) || std::holds_alternative<LossEvent>(event);
}

Result<std::uint64_t> parse_duration(const std::string& text) {
  struct Unit {
    std::string_view suffix;
    double ns;
  };
  static constexpr Unit kUnits[] = {{"", 1e9},   {"s", 1e9},  {"ms", 1e6},   {"us", 1e3},
                                    {"ns", 1.0}, {"m", 6e10}, {"h", 3.6e12}, {"d", 8.64e13}};
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string_view rest(stop, static_cast<std::size_t>(end - stop));
  for (const Unit& unit : kUnits)
    if (error == std::errc() && rest == unit.suffix && value >= 0 && value * unit.ns < 9e18)
      return static_cast<std::uint64_t>(std::llround(value * unit.ns));
  return Error{"bad duration '" + text + "'", "a number and s, ms, us, ns, m, h or d", "1.5s",
               ExitCode::usage};
}

}  // namespace umaskaudit::analysis

// The filter's rules, as filter.h states them.
// Must never allocate per event: it runs once for each.
// Called by every command that takes a RUN.
#include "reporter/render/filter.h"

#include <fnmatch.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace umaskaudit {
namespace {

// Event paths are std::string, names are views into the run: fnmatch wants NUL-terminated ones.
bool matches_any(const std::vector<std::string>& globs, const std::string& text) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return fnmatch(glob.c_str(), text.c_str(), 0) == 0;
  });
}

template <typename List, typename Value>
bool selected(const List& list, const Value& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

struct Property {
  const Filter& filter;

  bool path(const CreateEvent& e) const { return matches_any(filter.paths, e.path); }
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
    if (!filter.paths.empty() && !path(event)) return false;
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
         kinds.empty() && since_ns == 0;
}

bool Filter::selects(const Event& event) const { return std::visit(Property{*this}, event); }

Result<std::uint64_t> parse_duration(const std::string& text) {
  struct Unit {
    std::string_view suffix;
    double ns;
  };
  static constexpr Unit kUnits[] = {{"", 1e9},   {"s", 1e9},  {"ms", 1e6},  {"us", 1e3},
                                    {"ns", 1.0}, {"m", 6e10}, {"h", 3.6e12}};
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string_view rest(stop, static_cast<std::size_t>(end - stop));
  for (const Unit& unit : kUnits)
    if (error == std::errc() && rest == unit.suffix && value >= 0 && value * unit.ns < 9e18)
      return static_cast<std::uint64_t>(std::llround(value * unit.ns));
  return Error{"bad duration '" + text + "'", "a number and s, ms, us, ns, m or h", "1.5s",
               ExitCode::usage};
}

}  // namespace umaskaudit

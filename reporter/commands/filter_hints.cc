// See filter_hints.h.
// Must never keep more than kMostNames names of a run.
// Called as filter_hints.h says.
#include "reporter/commands/filter_hints.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "reporter/commands/command.h"
#include "reporter/render/text_report.h"
#include "reporter/text/similar.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::commands {
namespace {

constexpr std::size_t kMostNames = 10000;  // that are compared with a glob
constexpr std::size_t kMostListed = 5;
constexpr std::size_t kMostEdits = 2;

constexpr std::array kParts = {analysis::FilterPart::path, analysis::FilterPart::pid,
                               analysis::FilterPart::tid,  analysis::FilterPart::thread,
                               analysis::FilterPart::call, analysis::FilterPart::kind,
                               analysis::FilterPart::since};

bool is_set(const analysis::Filter& filter, analysis::FilterPart part) {
  return !filter.only(part).empty();
}

// A process is an event of every filter but one by process: it is no answer to others.
bool selects(const analysis::Filter& filter, const Event& event) {
  if (analysis::is_never_dropped(event)) return false;
  if (std::holds_alternative<ProcessEvent>(event) && filter.pids.empty()) return false;
  return filter.selects(event);
}

// The values of the run that the filter could have named.
struct Choices {
  std::set<std::string> paths, threads, calls, kinds;
  std::map<std::uint32_t, std::string> pids, tids;
  std::uint64_t last_ns = 0;
};

void add(std::set<std::string>& names, std::string_view name) {
  if (!name.empty() && names.size() < kMostNames) names.emplace(name);
}

class ChoiceCollector {
 public:
  explicit ChoiceCollector(const analysis::Filter& filter) {
    for (const analysis::FilterPart part : kParts)
      if (is_set(filter, part)) parts_.push_back({part, filter.only(part)});
  }

  void see(const Event& event) {
    for (Part& one : parts_) one.matched = one.matched || selects(one.filter, event);
    if (analysis::is_never_dropped(event)) return;
    std::visit([this](const auto& one) { note(one); }, event);
  }

  const Choices& choices() const { return choices_; }
  std::vector<analysis::FilterPart> unmatched() const {
    std::vector<analysis::FilterPart> parts;
    for (const Part& one : parts_)
      if (!one.matched) parts.push_back(one.part);
    return parts;
  }

 private:
  struct Part {
    analysis::FilterPart part;
    analysis::Filter filter;
    bool matched = false;
  };

  void note(const EventBase& event) {
    add(choices_.threads, event.thread);
    // By their latest names: a program has its own from the exec on.
    if (choices_.pids.size() < kMostNames) choices_.pids[event.pid] = event.thread;
    if (choices_.tids.size() < kMostNames) choices_.tids[event.tid] = event.thread;
    add(choices_.calls, event.call);
    choices_.last_ns = std::max(choices_.last_ns, event.time_ns);
  }
  void note(const CreateEvent& event) {
    note(static_cast<const EventBase&>(event));
    add(choices_.kinds, kind_name(event.kind));
    add(choices_.paths, event.path);
  }
  void note(const ChmodEvent& event) {
    note(static_cast<const EventBase&>(event));
    add(choices_.paths, event.path);
  }
  void note(const RenameEvent& event) {
    note(static_cast<const EventBase&>(event));
    add(choices_.paths, event.to);
  }

  std::vector<Part> parts_;
  Choices choices_;
};

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  const std::size_t shown = std::min(names.size(), kMostListed);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > shown) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

std::string listed(const std::set<std::string>& names) {
  return listed(std::vector<std::string>(names.begin(), names.end()));
}

std::string listed(const std::map<std::uint32_t, std::string>& ids) {
  std::vector<std::string> texts;
  for (const auto& [id, name] : ids) texts.push_back(std::to_string(id) + " (" + name + ')');
  return listed(texts);
}

// "; did you mean 'x'?" for a name that is like one of `globs`, else all that there is.
std::string or_one_of(const std::vector<std::string>& globs, const std::set<std::string>& known,
                      const char* what) {
  for (const std::string& glob : globs) {
    const std::string near = most_similar(glob, {known.begin(), known.end()});
    if (!near.empty()) return "; did you mean '" + near + "'?";
  }
  return std::string("; ") + what + " of this run: " + (known.empty() ? "none" : listed(known));
}

std::uint64_t matches(const std::string& glob, const std::set<std::string>& names, int flags = 0) {
  return static_cast<std::uint64_t>(std::count_if(
      names.begin(), names.end(),
      [&](const std::string& name) { return fnmatch(glob.c_str(), name.c_str(), flags) == 0; }));
}

// Fewer than half of what the last component says may be wrong.
std::size_t edits_allowed(const std::string& glob) {
  const std::string last = glob.substr(glob.rfind('/') + 1);
  const auto letters = static_cast<std::size_t>(
      std::count_if(last.begin(), last.end(), [](char c) { return c != '*' && c != '?'; }));
  return letters == 0 ? 0 : std::min(kMostEdits, (letters - 1) / 2);
}

// The name that `glob` would match with the fewest changes.
std::string nearest(const std::string& glob, const std::set<std::string>& names) {
  for (const std::string& name : names)
    if (fnmatch(glob.c_str(), name.c_str(), FNM_CASEFOLD) == 0) return name;
  std::size_t most = edits_allowed(glob);
  std::string best;
  for (const std::string& name : names) {
    const std::size_t edits = glob_edits(glob, name, most);
    if (edits > most) continue;
    best = name;
    if (edits == 0) break;
    most = edits - 1;
  }
  return best;
}

// As reports name it.
std::string from_directory(const OpenedRun& opened, const std::string& path) {
  const std::string root = opened.directory() + '/';
  return root.size() > 2 && path.starts_with(root) ? path.substr(root.size()) : path;
}

// `typed` is what `glob` was before it was given its beginning.
std::string path_hint(const std::string& typed, const std::string& glob, const Choices& choices,
                      const OpenedRun& opened) {
  const std::string below = glob + (glob.ends_with('/') ? "*" : "/*");
  if (const std::uint64_t count = matches(below, choices.paths); count != 0)
    return "; '" + typed + (typed.ends_with('/') ? "*" : "/*") + "' matches " +
           counted(count, "object");
  std::string anywhere = typed.starts_with("./") ? typed.substr(2) : typed;
  anywhere = "*/" + anywhere;
  if (const std::uint64_t count = matches(anywhere, choices.paths); count != 0)
    return "; '" + anywhere + "' matches " + counted(count, "object");
  const std::string name = from_directory(opened, nearest(glob, choices.paths));
  if (!name.empty()) return "; did you mean '" + name + "'?";
  return choices.paths.empty() ? "; this run created nothing"
                               : "; all names: umaskaudit report --all";
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "'" : ", '") + word + '\'';
  return text;
}

std::string joined(const std::vector<std::uint32_t>& numbers) {
  std::string text;
  for (const std::uint32_t number : numbers)
    text += (text.empty() ? "" : ", ") + std::to_string(number);
  return text;
}

std::string hint(analysis::FilterPart part, const RunArguments& arguments, const Choices& choices,
                 const OpenedRun& opened) {
  const analysis::Filter& filter = arguments.filter;
  const auto nothing = [](const char* option, const std::string& values) {
    return std::string("nothing matches ") + option + ' ' + values;
  };
  switch (part) {
    case analysis::FilterPart::path:
      return nothing("--path", joined(arguments.typed_paths)) +
             path_hint(arguments.typed_paths.front(), filter.paths.front(), choices, opened);
    case analysis::FilterPart::pid:
      return nothing("--pid", joined(filter.pids)) +
             "; processes of this run: " + listed(choices.pids);
    case analysis::FilterPart::tid:
      return nothing("--tid", joined(filter.tids)) +
             "; threads of this run: " + listed(choices.tids);
    case analysis::FilterPart::thread:
      return nothing("--thread", joined(filter.threads)) +
             or_one_of(filter.threads, choices.threads, "threads");
    case analysis::FilterPart::call:
      return nothing("--call", joined(filter.calls)) +
             or_one_of(filter.calls, choices.calls, "calls");
    case analysis::FilterPart::kind:
      return nothing("--kind", joined(filter.kinds)) + or_one_of({}, choices.kinds, "kinds");
    case analysis::FilterPart::since:
      return "nothing happened after --since " + arguments.since + "; the last event came " +
             duration_text(choices.last_ns - std::min(choices.last_ns, opened.run().begin_ns())) +
             " after the begin";
  }
  return "";
}

std::string findings_hint(const RunArguments& arguments, const OpenedRun& opened) {
  const analysis::Filter& filter = arguments.filter;
  std::string text = "no finding is of";
  if (!filter.rules.empty()) text += " --rule " + joined(filter.rules);
  if (filter.severity) text += std::string(" --severity ") + rules::severity_name(*filter.severity);
  std::vector<std::string> rules;
  const auto& found = opened.worst_found();
  for (std::size_t i = 0; i < found.size(); ++i)
    if (found[i])
      rules.push_back(rules::rule_info(static_cast<rules::RuleId>(i)).id + std::string(" (") +
                      rules::severity_name(*found[i]) + ')');
  return text + (rules.empty() ? "; there are no findings at all" : "; there is " + listed(rules));
}

}  // namespace

std::string nearest_object(const OpenedRun& opened, const std::string& path) {
  ChoiceCollector collector{analysis::Filter()};
  opened.run().for_each_folded([&](const Event& event) {
    collector.see(event);
    return true;
  });
  std::string glob;
  for (const char c : path) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) glob += '\\';
    glob += c;
  }
  return from_directory(opened, nearest(glob, collector.choices().paths));
}

void warn_of_empty_filter(Console& console, OpenedRun& opened, const RunArguments& arguments,
                          bool of_findings) {
  const analysis::Filter& filter = arguments.filter;
  if (filter.empty() || console.verbosity == Verbosity::quiet) return;
  bool any = false;
  opened.run().for_each_folded([&](const Event& event) {
    any = selects(filter, event);
    return !any;
  });
  if (any) return;
  ChoiceCollector collector(filter);
  opened.run().for_each_folded([&](const Event& event) {
    collector.see(event);
    return true;
  });
  const std::vector<analysis::FilterPart> unmatched = collector.unmatched();
  for (const analysis::FilterPart part : unmatched)
    warn(console, hint(part, arguments, collector.choices(), opened));
  if (!unmatched.empty()) return;
  if (of_findings && filter.by_finding() && opened.findings().findings.empty())
    warn(console, findings_hint(arguments, opened));
  else
    warn(console, "each filter matches something, but nothing matches all of them");
}

}  // namespace umaskaudit::commands

// Sections of the text report, in the order in which they are printed.
// Must never print a string of the program but through escape().
// Called as text_report.h says.
#include "reporter/render/text_report.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "reporter/render/mode_text.h"
#include "reporter/render/own_place.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/whole_since.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_table.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::render {
namespace {

constexpr std::size_t kWideTable = 120;       // columns, from which two transitions leave room
constexpr std::size_t kLeastPath = 32;        // columns of a path, or of a place in the code
constexpr std::size_t kMostBlindTexts = 4;    // of one reason in a line
constexpr std::size_t kMostSymbolNotes = 10;  // a run of a whole build may have hundreds

std::string heading(const TextContext& context, const std::string& title) {
  return context.paint(Style::strong, title) + '\n';
}

std::string completeness_text(const TextContext& context, const analysis::Summary& summary) {
  const reader::Completeness& facts = context.run.completeness();
  if (!facts.losses.empty()) return context.paint(Style::bad, "INCOMPLETE, see the end");
  if (const std::string since = whole_since_text(context.run); !since.empty()) {
    const bool seen = summary.blind_spots.empty();
    return context.paint(seen ? Style::good : Style::warning,
                         "whole from " + since + " on" +
                             (seen ? ""
                                   : ", but " + counted(summary.blind_spots.size(), "blind spot") +
                                         ", see the end"));
  }
  if (summary.blind_spots.empty()) return context.paint(Style::good, "complete");
  return context.paint(
      Style::warning,
      "nothing lost, but " + counted(summary.blind_spots.size(), "blind spot") + ", see the end");
}

std::string mask_text(const ObjectLife& life) {
  return octal(life.born_mask) + (life.ambiguous ? "?" : "");
}

const char* why_text(ObjectLife::Why why) {
  switch (why) {
    case ObjectLife::Why::acl:
      return "default ACL";
    case ObjectLife::Why::setgid:
      return "set-group-ID";
    case ObjectLife::Why::filesystem:
      return "filesystem";
    case ObjectLife::Why::mask:
    case ObjectLife::Why::requested:
      return "";
  }
  return "";
}

const char* state_text(ObjectState state) {
  switch (state) {
    case ObjectState::there:
      return "";
    case ObjectState::gone:
      return "gone";
    case ObjectState::replaced:
      return "replaced";
    case ObjectState::unknown:
      return "gone, unseen";
  }
  return "";
}

const char* doubt_text(trace::Created created) {
  switch (created) {
    case trace::Created::probably:
      return "probably created";
    case trace::Created::unknown:
      return "perhaps created";
    case trace::Created::no:
    case trace::Created::yes:
      return "";
  }
  return "";
}

TextTable object_table() {
  return TextTable({{"PATH", Align::left, true, false, kLeastPath},
                    {"CALL", Align::left, false, true},
                    {"ASKED", Align::right, false, true},
                    {"MASK", Align::right},
                    {"MODE"},
                    {"NOTE", Align::left, true},
                    {"WHO", Align::left, true, false, kLeastPath}});
}

void add_object(TextTable& table, const TextContext& context, const ObjectLife& life) {
  // The line of the user's script says more than the name of its interpreter, or of a tool that it
  // started.
  const std::string script = script_text(context.stacks, life.born.stack);
  table.add({shown_path(context, life.last_path), escape(life.born.call),
             octal(without_type(life.requested)), Cell(mask_text(life), mask_style(life.born_mask)),
             Cell(mode_text(life), mode_style(life.mode)), escape(note_text(life)),
             thread_text(life.born.thread, life.born.tid) + (script.empty() ? "" : ", " + script)});
}

void merge(analysis::MaskChanges& into, const analysis::MaskChanges& from) {
  into.count += from.count;
  into.drifts += from.drifts;
  for (const auto& [transition, count] : from.transitions) into.transitions[transition] += count;
  into.first_ns = std::min(into.first_ns, from.first_ns);
  into.last_ns = std::max(into.last_ns, from.last_ns);
  into.held_ns += from.held_ns;
  into.longest_ns = std::max(into.longest_ns, from.longest_ns);
  into.end_unseen = into.end_unseen || from.end_unseen;
}

// Short processes of one program that do the same at the same place are one row; threads of one
// process stay apart.
std::vector<Culprit> joined_by_place(std::vector<Culprit> rows) {
  using Place = std::tuple<std::string, std::string, std::string>;
  const auto place_of = [](const Culprit& row) {
    return Place(row.changes.thread, row.where, row.changes.call);
  };
  std::map<Place, std::set<std::uint32_t>> processes;
  for (const Culprit& row : rows) processes[place_of(row)].insert(row.changes.who.pid);
  std::map<Place, std::size_t> places;
  std::vector<Culprit> out;
  for (Culprit& row : rows) {
    const Place place = place_of(row);
    const std::size_t count = processes[place].size();
    const auto [found, fresh] = places.try_emplace(place, out.size());
    if (count == 1 || fresh) {
      row.processes = count;
      out.push_back(std::move(row));
    } else {
      merge(out[found->second].changes, row.changes);
    }
  }
  return out;
}

constexpr std::size_t kMostGroups = 12;

// The first `depth` components: "/srv/app/..." of "/srv/app/data/7" for two.
std::string cut_directory(const std::string& directory, std::size_t depth) {
  std::size_t at = 0;
  for (std::size_t i = 0; i < depth && at != std::string::npos; ++i)
    at = directory.find('/', at + 1);
  return at == std::string::npos ? directory : directory.substr(0, at + 1) + "...";
}

// The largest first. Where there are too many, those below one directory are one group: of the
// deepest directories that make few enough of them. What lies below `root`, where the run began,
// stays apart from the rest.
std::vector<analysis::ObjectGroup> joined_groups(const std::vector<analysis::ObjectGroup>& groups,
                                                 const std::string& root) {
  const auto root_depth = static_cast<std::size_t>(std::count(root.begin(), root.end(), '/'));
  std::size_t deepest = 0;
  for (const analysis::ObjectGroup& group : groups) {
    const auto depth = std::count(group.directory.begin(), group.directory.end(), '/');
    deepest = std::max(deepest, static_cast<std::size_t>(depth));
  }
  const auto joined = [&](std::size_t depth) {
    using Key = std::tuple<std::string, trace::Kind, std::string, std::optional<Mode>, bool>;
    std::map<Key, std::uint64_t> counts;
    for (const analysis::ObjectGroup& group : groups) {
      const bool inside =
          group.directory == root || path_below(group.directory, root) != group.directory;
      const std::size_t kept = inside ? std::max(depth, root_depth) : depth;
      counts[{cut_directory(group.directory, kept), group.kind, group.call, group.mode,
              group.there}] += group.count;
    }
    return counts;
  };
  auto counts = joined(deepest);
  for (std::size_t depth = deepest; counts.size() > kMostGroups && depth > 1;) {
    auto fewer = joined(--depth);
    if (fewer.size() < counts.size()) counts = std::move(fewer);
  }
  std::vector<analysis::ObjectGroup> out;
  for (const auto& [key, count] : counts) {
    const auto& [directory, kind, call, mode, there] = key;
    out.push_back({directory, kind, call, mode, there, count});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const analysis::ObjectGroup& a, const analysis::ObjectGroup& b) {
                     return a.count > b.count;
                   });
  return out;
}

std::string directory_text(const TextContext& context, const std::string& directory) {
  if (directory.empty()) return "(other directories)";
  if (directory == context.root) return ".";
  const std::string shown = shown_path(context, directory);
  return shown == "..." ? "./..." : shown;
}

}  // namespace

Style mask_style(Mode mask) {
  if ((mask & 02) == 0) return Style::bad;
  return (mask & 020) == 0 ? Style::warning : Style::plain;
}

Style mode_style(Mode mode) {
  if ((mode & 02) != 0) return Style::bad;
  return (mode & 020) != 0 ? Style::warning : Style::plain;
}

std::string shown_path(const TextContext& context, const std::string& path) {
  return escape(path_below(path, context.root));
}

std::string thread_text(std::string_view name, std::uint32_t tid) {
  const std::string number = std::to_string(tid);
  return name.empty() ? number : escape(name) + ' ' + number;
}

Mode widest_mask(const analysis::MaskChanges& changes) {
  Mode mask = 0777;
  for (const auto& [transition, count] : changes.transitions) mask &= transition.second;
  return mask;
}

std::string programs_text(const analysis::Summary& summary) {
  std::string text = counted(summary.processes, "program");
  if (summary.pids > 0 && summary.pids < summary.processes)
    text += " in " + std::to_string(summary.pids) + (summary.pids == 1 ? " process" : " processes");
  return text + ", " + counted(summary.threads, "thread");
}

std::size_t transitions_shown(std::size_t width) {
  return width == 0 || width >= kWideTable ? 2 : 1;
}

std::string transitions_text(const analysis::MaskChanges& changes, std::size_t most) {
  if (changes.transitions.empty()) return "";
  const auto text = [](const std::pair<Mode, Mode>& one) {
    return octal(one.first) + " -> " + octal(one.second);
  };
  // The commonest; of equals the one that opens: it is what people look for.
  const auto less = [](const auto& a, const auto& b) {
    return std::tuple(a.second, b.first.second) < std::tuple(b.second, a.first.second);
  };
  const auto first =
      std::max_element(changes.transitions.begin(), changes.transitions.end(), less)->first;
  std::string out = text(first);
  std::size_t named = 1;
  for (const auto& [transition, count] : changes.transitions)
    if (transition != first && named < most) {
      out += ", " + text(transition);
      ++named;
    }
  if (changes.transitions.size() > named)
    out += " (+" + std::to_string(changes.transitions.size() - named) + " more)";
  return out;
}

std::string mode_text(const ObjectLife& life) {
  if (!life.mode_known) return "?";
  if (life.settled_by.seq == 0 || life.mode == life.born_mode) return octal(life.mode);
  return octal(life.born_mode) + " > " + octal(life.mode) + ' ' + std::string(life.settled_by.call);
}

std::string note_text(const ObjectLife& life) {
  std::string out;
  const auto add = [&](std::string_view text) {
    if (!text.empty()) out.append(out.empty() ? "" : ", ").append(text);
  };
  add(doubt_text(life.created));
  add(why_text(life.why));
  const bool nameless = life.kind == trace::Kind::tmpfile && life.name_count == 0;
  add(nameless && life.state == ObjectState::gone ? "no name" : state_text(life.state));
  if (life.named_anew() && life.changes != 0) {
    const std::string_view born = last_component(life.born_path);
    add(born == last_component(life.last_path) ? "moved" : "born as " + std::string(born));
  }
  if (life.name_count > 1) add(std::to_string(life.name_count) + " names");
  return out;
}

std::string culprit_name(const Culprit& culprit) {
  if (culprit.processes == 1) return thread_text(culprit.changes.thread, culprit.changes.who.tid);
  return escape(culprit.changes.thread) + ", " + std::to_string(culprit.processes) + " processes";
}

std::vector<Culprit> culprits(const analysis::Summary& summary, analysis::StackCache& stacks) {
  std::map<std::tuple<analysis::ThreadId, std::string, std::string>, std::size_t> places;
  std::vector<Culprit> out;
  for (const analysis::MaskChanges& changes : summary.changes) {
    const std::string where = place_text(stacks, changes.stack);
    const auto [place, fresh] =
        places.try_emplace(std::tuple(changes.who, where, changes.call), out.size());
    if (fresh)
      out.push_back({changes, where});
    else
      merge(out[place->second].changes, changes);
  }
  out = joined_by_place(std::move(out));
  std::stable_sort(out.begin(), out.end(), [](const Culprit& a, const Culprit& b) {
    return a.changes.count > b.changes.count;
  });
  return out;
}

std::vector<BlindReason> blind_reasons(const analysis::Summary& summary) {
  std::vector<BlindReason> out;
  for (const analysis::BlindSpots& spot : summary.blind_spots) {
    const auto known = std::find_if(
        out.begin(), out.end(), [&](const BlindReason& one) { return one.reason == spot.reason; });
    BlindReason& reason = known == out.end() ? out.emplace_back() : *known;
    reason.reason = spot.reason;
    reason.count += spot.count;
    if (!spot.text.empty()) reason.texts.push_back(spot.text);
  }
  return out;
}

std::string blind_line(const BlindReason& reason) {
  std::string line = blind_name(reason.reason);
  const std::size_t shown = std::min(reason.texts.size(), kMostBlindTexts);
  for (std::size_t i = 0; i < shown; ++i) line += (i == 0 ? ": " : ", ") + escape(reason.texts[i]);
  if (shown < reason.texts.size())
    line += " and " + std::to_string(reason.texts.size() - shown) + " more";
  if (reason.count > 1) line += " (" + std::to_string(reason.count) + " times)";
  return line;
}

std::string program_of(const reader::Run& run, const Heading& heading) {
  if (!heading.program.empty() || run.processes().empty()) return heading.program;
  const ProcessEvent& first = run.processes().front();
  return std::string(first.exe.empty() ? first.comm : first.exe);
}

std::uint64_t started_real_ns(const reader::Run& run, const Heading& heading) {
  return run.begin_real_ns() != 0 ? run.begin_real_ns() : heading.start_real_ns;
}

std::string started_text(const reader::Run& run, const Heading& heading) {
  const std::uint64_t started = started_real_ns(run, heading);
  return started != 0 ? utc_text(started) : "unknown";
}

void append_header(std::string& out, const TextContext& context, const analysis::Summary& summary,
                   const Heading& title) {
  const std::string program = program_of(context.run, title);
  const std::uint64_t span = context.run.end_ns() - context.run.begin_ns();
  out += "  run        " + escape(context.run.directory()) + '\n';
  out += "  program    " + escape(program);
  if (!title.ending.empty()) out += ", " + title.ending;
  out += "\n  started    " + started_text(context.run, title) + ", recorded for " +
         duration_text(span);
  out += "\n  who        " + programs_text(summary);
  out += "\n  what       " + counted(summary.mask_changes, "mask change") + ", " +
         counted(summary.created, "object") + " created, " + counted(summary.events, "event");
  out += "\n  record     " + completeness_text(context, summary) + '\n';
  if (context.root.size() > 1)
    out += "  paths      relative to " + escape(context.root) + ", where the run began\n";
  out += '\n';
}

void append_mask_changes(std::string& out, const TextContext& context,
                         const analysis::Summary& summary) {
  out += heading(context, "Who changed the umask");
  if (summary.changes.empty()) {
    out += "  nobody\n\n";
    return;
  }
  TextTable table({{"PID", Align::right, false, true},
                   {"THREAD"},
                   {"CHANGES", Align::right, false, true},
                   {"MASK"},
                   {"WHERE", Align::left, true, false, kLeastPath}});
  for (const Culprit& one : culprits(summary, context.stacks)) {
    const analysis::MaskChanges& changes = one.changes;
    table.add({one.processes == 1 ? std::to_string(changes.who.pid) : "", culprit_name(one),
               std::to_string(changes.count),
               Cell(transitions_text(changes, transitions_shown(context.width)),
                    mask_style(widest_mask(changes))),
               one.where});
  }
  out += table.screen_text(context.width, context.paint) + '\n';
}

namespace {

// What rows and groups of objects do not say.
void append_object_notes(std::string& out, const analysis::Summary& summary) {
  if (summary.unknown_masks != 0)
    out += "  ? the mask changed during " + counted(summary.unknown_masks, "call") +
           ", and the mode does not tell which one applied\n";
  if (summary.gone != 0)
    out += "  " + counted(summary.gone, "object") + " did not exist any more at the end\n";
  if (summary.existing + summary.failed != 0)
    out += "  " + counted(summary.existing, "call") + " opened existing files, " +
           std::to_string(summary.failed) + " failed\n";
  out += '\n';
}

}  // namespace

void append_open_objects(std::string& out, const TextContext& context,
                         const analysis::Summary& summary, std::size_t limit) {
  if (summary.open.empty()) return;
  out += heading(context, "Open to others at the end");
  TextTable table = object_table();
  const std::size_t rows = limit == 0 ? summary.open.size() : std::min(limit, summary.open.size());
  for (std::size_t i = 0; i < rows; ++i) add_object(table, context, summary.open[i]);
  out += table.screen_text(context.width, context.paint);
  if (summary.open_count > rows)
    out += "  ... and " + std::to_string(summary.open_count - rows) + " more\n";
  out += '\n';
}

void append_objects(std::string& out, const TextContext& context, const analysis::Summary& summary,
                    std::size_t limit) {
  out += heading(context, "Objects created");
  TextTable table = object_table();
  for (const ObjectLife& life : summary.objects) add_object(table, context, life);
  if (!table.empty()) out += table.screen_text(context.width, context.paint);
  const std::uint64_t all = summary.created + summary.unsure;
  if (all == 0) out += "  none\n";
  if (all > summary.objects.size())
    out += "  ... and " + std::to_string(all - summary.objects.size()) + " more than --limit " +
           std::to_string(limit) + "; --limit 0 shows all\n";
  append_object_notes(out, summary);
}

void append_object_groups(std::string& out, const TextContext& context,
                          const analysis::Summary& summary) {
  out += heading(context, "Objects created, by directory");
  const std::vector<analysis::ObjectGroup> groups = joined_groups(summary.groups, context.root);
  TextTable table({{"COUNT", Align::right},
                   {"KIND"},
                   {"MODE"},
                   {"CALL", Align::left, false, true},
                   {"DIRECTORY", Align::left, true, false, kLeastPath},
                   {"NOTE"}});
  const std::size_t rows = std::min(groups.size(), kMostGroups);
  for (std::size_t i = 0; i < rows; ++i) {
    const analysis::ObjectGroup& group = groups[i];
    table.add({grouped(group.count), kind_name(group.kind),
               group.mode ? Cell(octal(*group.mode), mode_style(*group.mode)) : Cell("?"),
               escape(group.call), directory_text(context, group.directory),
               group.there ? "" : "gone at the end"});
  }
  out += table.screen_text(context.width, context.paint);
  if (rows < groups.size()) {
    std::uint64_t objects = 0;
    for (std::size_t i = rows; i < groups.size(); ++i) objects += groups[i].count;
    out += "  ... and " + counted(groups.size() - rows, "more group") + " of " +
           counted(objects, "object") + '\n';
  }
  append_wrapped(out,
                 "Each object: umaskaudit report " + escape(context.run.directory()) + " --all", 2,
                 4, context.width);
  append_object_notes(out, summary);
}

void append_notes(std::string& out, const TextContext& context, const analysis::Summary& summary) {
  if (summary.notes.empty()) return;
  out += heading(context, "Notes of the program");
  for (const std::string& note : summary.notes)
    append_wrapped(out, escape(note), 2, 4, context.width);
  out += '\n';
}

void append_unseen(std::string& out, const TextContext& context, const analysis::Summary& summary) {
  out += heading(context, "Blind spots");
  for (const BlindReason& reason : blind_reasons(summary)) {
    std::string line;
    append_wrapped(line, blind_line(reason), 2, 4, context.width);
    line.pop_back();
    out += context.paint(Style::warning, line) + '\n';
    append_wrapped(out, blind_advice(reason.reason), 6, 6, context.width);
  }
  const reader::Completeness& facts = context.run.completeness();
  for (const LossEvent& loss : facts.losses) {
    out += "  " +
           context.paint(Style::bad, escape(loss.reason) + ": " + std::to_string(loss.count)) +
           '\n';
    if (!loss.detail.empty()) append_wrapped(out, escape(loss.detail), 6, 6, context.width);
  }
  if (const std::string since = whole_since_text(context.run); !since.empty())
    out += "  What was before " + since + " is summed up, not recorded.\n";
  if (summary.blind_spots.empty() && facts.losses.empty())
    out += "  No blind spots were detected.\n";
}

void append_symbol_notes(std::string& out, const TextContext& context) {
  const std::vector<std::string> notes = context.stacks.notes();
  if (notes.empty()) return;
  out += '\n' + heading(context, "Why some functions have no name");
  const std::size_t shown = std::min(notes.size(), kMostSymbolNotes);
  for (std::size_t i = 0; i < shown; ++i)
    append_wrapped(out, escape(notes[i]), 2, 6, context.width);
  if (shown < notes.size())
    out += "  ... and " + counted(notes.size() - shown, "module") + " more\n";
}

}  // namespace umaskaudit::render

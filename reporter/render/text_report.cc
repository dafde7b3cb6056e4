// Sections of the text report, in the order in which they are printed.
// Must never print a string of the program but through escape().
// Called as text_report.h says.
#include "reporter/render/text_report.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/symbolize/culprit.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_table.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kMostTransitions = 2;
constexpr std::size_t kMostSymbolNotes = 10;  // a run of a whole build may have hundreds

std::string heading(const TextContext& context, const std::string& title) {
  return context.paint(Style::strong, title) + '\n';
}

std::string completeness_text(const TextContext& context, const Summary& summary) {
  const Completeness& facts = context.run.completeness();
  if (!facts.losses.empty()) return context.paint(Style::bad, "INCOMPLETE, see the end");
  if (summary.blind_spots.empty()) return context.paint(Style::good, "complete");
  return context.paint(
      Style::warning,
      "nothing lost, but " + counted(summary.blind_spots.size(), "blind spot") + ", see the end");
}

std::string created_text(trace::Created created) {
  switch (created) {
    case trace::Created::no:
      return "existing";
    case trace::Created::yes:
      return "created";
    case trace::Created::probably:
      return "probably";
    case trace::Created::unknown:
      return "perhaps";
  }
  return "";
}

std::string mask_text(const CreateEvent& event) {
  std::string text = octal(event.mask);
  if (!event.ambiguous_masks.empty()) text += '?';
  return text;
}

Cell final_cell(const CreateEvent& event) {
  if (!event.final_mode) return Cell("?");
  return {octal(*event.final_mode), mode_style(*event.final_mode)};
}

void merge(MaskChanges& into, const MaskChanges& from) {
  into.count += from.count;
  into.drifts += from.drifts;
  for (const auto& [transition, count] : from.transitions) into.transitions[transition] += count;
  into.first_ns = std::min(into.first_ns, from.first_ns);
  into.last_ns = std::max(into.last_ns, from.last_ns);
  into.held_ns += from.held_ns;
  into.longest_ns = std::max(into.longest_ns, from.longest_ns);
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

std::string thread_text(std::string_view name, std::uint32_t tid) {
  const std::string number = std::to_string(tid);
  return name.empty() ? number : escape(name) + ' ' + number;
}

Mode widest_mask(const MaskChanges& changes) {
  Mode mask = 0777;
  for (const auto& [transition, count] : changes.transitions) mask &= transition.second;
  return mask;
}

std::string transitions_text(const MaskChanges& changes) {
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
    if (transition != first && named < kMostTransitions) {
      out += ", " + text(transition);
      ++named;
    }
  if (changes.transitions.size() > named)
    out += " (+" + std::to_string(changes.transitions.size() - named) + " more)";
  return out;
}

std::vector<Culprit> culprits(const Summary& summary, StackCache& stacks) {
  std::map<std::tuple<ThreadId, std::string, std::string>, std::size_t> places;
  std::vector<Culprit> out;
  for (const MaskChanges& changes : summary.changes) {
    const std::string where = site(culprit(stacks.frames(changes.stack)));
    const auto [place, fresh] =
        places.try_emplace(std::tuple(changes.who, where, changes.call), out.size());
    if (fresh)
      out.push_back({changes, where});
    else
      merge(out[place->second].changes, changes);
  }
  std::stable_sort(out.begin(), out.end(), [](const Culprit& a, const Culprit& b) {
    return a.changes.count > b.changes.count;
  });
  return out;
}

std::string program_of(const Run& run, const Heading& heading) {
  if (!heading.program.empty() || run.processes().empty()) return heading.program;
  const ProcessEvent& first = run.processes().front();
  return std::string(first.exe.empty() ? first.comm : first.exe);
}

std::uint64_t started_real_ns(const Run& run, const Heading& heading) {
  return run.begin_real_ns() != 0 ? run.begin_real_ns() : heading.start_real_ns;
}

std::string started_text(const Run& run, const Heading& heading) {
  const std::uint64_t started = started_real_ns(run, heading);
  return started != 0 ? utc_text(started) : "unknown";
}

void append_header(std::string& out, const TextContext& context, const Summary& summary,
                   const Heading& title) {
  const std::string program = program_of(context.run, title);
  const std::uint64_t span = context.run.end_ns() - context.run.begin_ns();
  out += heading(context, "Run " + escape(context.run.directory()));
  out += "  program    " + escape(program);
  if (!title.ending.empty()) out += ", " + title.ending;
  out += "\n  started    " + started_text(context.run, title) + ", recorded for " +
         duration_text(span);
  out += "\n  who        " + counted(summary.processes, "process image") + ", " +
         counted(summary.threads, "thread");
  out += "\n  what       " + counted(summary.mask_changes, "mask change") + ", " +
         counted(summary.created, "object") + " created, " + counted(summary.events, "event");
  out += "\n  record     " + completeness_text(context, summary) + "\n\n";
}

void append_mask_changes(std::string& out, const TextContext& context, const Summary& summary) {
  out += heading(context, "Who changed the mask");
  if (summary.changes.empty()) {
    out += "  nobody\n\n";
    return;
  }
  TextTable table({{"PID", Align::right},
                   {"TID", Align::right},
                   {"THREAD"},
                   {"CHANGES", Align::right},
                   {"MASK"},
                   {"WHERE", Align::left, true}});
  for (const Culprit& one : culprits(summary, context.stacks)) {
    const MaskChanges& changes = one.changes;
    table.add({std::to_string(changes.who.pid), std::to_string(changes.who.tid),
               escape(changes.thread), std::to_string(changes.count),
               Cell(transitions_text(changes), mask_style(widest_mask(changes))), one.where});
  }
  out += table.text(context.width, context.paint) + '\n';
}

void append_creations(std::string& out, const TextContext& context, const Summary& summary,
                      std::size_t limit) {
  out += heading(context, "Objects created");
  TextTable table({{"PATH", Align::left, true},
                   {"KIND"},
                   {"CALL"},
                   {"ASKED", Align::right},
                   {"MASK", Align::right},
                   {"FINAL", Align::right},
                   {"CREATED"},
                   {"WHO"}});
  for (const CreateEvent& event : summary.creations)
    table.add({escape(event.path), kind_name(event.kind), escape(event.call),
               octal(without_type(event.requested)), Cell(mask_text(event), mask_style(event.mask)),
               final_cell(event), created_text(event.created),
               thread_text(event.thread, event.tid)});
  if (!table.empty()) out += table.text(context.width, context.paint);
  const std::uint64_t all = summary.created + summary.unsure;
  if (all == 0) out += "  none\n";
  if (all > summary.creations.size())
    out += "  ... and " + std::to_string(all - summary.creations.size()) + " more than --limit " +
           std::to_string(limit) + "; --limit 0 shows all\n";
  if (summary.ambiguous != 0)
    out += "  ? the mask moved during " + counted(summary.ambiguous, "call") +
           ": the one that explains the final mode is shown\n";
  if (summary.existing + summary.failed != 0)
    out += "  " + counted(summary.existing, "call") + " opened what was there, " +
           std::to_string(summary.failed) + " failed\n";
  out += '\n';
}

void append_notes(std::string& out, const TextContext& context, const Summary& summary) {
  if (summary.notes.empty()) return;
  out += heading(context, "Notes of the program");
  for (const std::string& note : summary.notes) out += "  " + escape(note) + '\n';
  out += '\n';
}

void append_unseen(std::string& out, const TextContext& context, const Summary& summary) {
  out += heading(context, "What this run could not see");
  for (const BlindSpots& spot : summary.blind_spots) {
    std::string line = blind_name(spot.reason);
    if (!spot.text.empty()) line += ": " + escape(spot.text);
    if (spot.count > 1) line += " (" + std::to_string(spot.count) + " times)";
    out += "  " + context.paint(Style::warning, line) + '\n';
    append_wrapped(out, blind_advice(spot.reason), 6, 6, context.width);
  }
  const Completeness& facts = context.run.completeness();
  for (const LossEvent& loss : facts.losses) {
    out += "  " +
           context.paint(Style::bad, escape(loss.reason) + ": " + std::to_string(loss.count)) +
           '\n';
    if (!loss.detail.empty()) append_wrapped(out, escape(loss.detail), 6, 6, context.width);
  }
  if (summary.blind_spots.empty() && facts.losses.empty())
    out += "  nothing that this run could not see was noticed\n";
}

void append_symbol_notes(std::string& out, const TextContext& context) {
  const std::vector<std::string>& notes = context.stacks.notes();
  if (notes.empty()) return;
  out += '\n' + heading(context, "Why some functions have no name");
  const std::size_t shown = std::min(notes.size(), kMostSymbolNotes);
  for (std::size_t i = 0; i < shown; ++i)
    append_wrapped(out, escape(notes[i]), 2, 6, context.width);
  if (shown < notes.size())
    out += "  ... and " + counted(notes.size() - shown, "module") + " more\n";
}

}  // namespace umaskaudit

// Markdown as GitHub and GitLab read it.
// Must never put a string of the program outside a code span.
// Called by `report --format markdown`.
#include "reporter/render/formats/markdown.h"

#include <algorithm>

#include "reporter/render/dropped.h"
#include "reporter/render/findings_text.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/text/escape.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::render {
namespace {

constexpr std::size_t kMostNotes = 10;   // a run of a whole build may have hundreds
constexpr std::size_t kMostPlaces = 10;  // that one cause hit

std::string code_of_escaped(const std::string& text) {
  if (text.empty()) return "";
  std::size_t longest = 0, run = 0;
  std::string body;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
    // Tables split at '|' before code spans are seen, even there.
    if (c == '|') body += '\\';
    body += c;
  }
  const std::string fence(longest + 1, '`');
  const bool pad = body.front() == '`' || body.back() == '`';
  return fence + (pad ? " " : "") + body + (pad ? " " : "") + fence;
}

void append_findings(std::string& out, const TextContext& context,
                     const std::vector<rules::Finding>& findings) {
  out += "\n### Findings\n\n";
  if (findings.empty()) {
    out += "None.\n";
    return;
  }
  out += "| severity | rule | what |\n|---|---|---|\n";
  for (const CauseGroup& group : by_cause(findings)) {
    const rules::Finding& finding = *group.front();
    out += std::string("| ") + rules::severity_name(finding.severity) + " | " + finding.info().id +
           " | " + markdown_code(finding.message);
    const std::string cause =
        finding.culprit ? place_text(context.stacks, finding.culprit->stack) : "";
    if (!cause.empty()) out += " at " + code_of_escaped(cause);
    const std::vector<std::string> places = hit_places(context, group);
    for (std::size_t i = 0; i < std::min(places.size(), kMostPlaces); ++i)
      out += (i == 0 ? ", " + std::string(hit_verb(finding)) + ' ' : ", ") +
             code_of_escaped(places[i]);
    if (places.size() > kMostPlaces)
      out += " and " + std::to_string(places.size() - kMostPlaces) + " more";
    out += " |\n";
  }
}

// A part that is looked at on demand. The title is ours; blank lines make Markdown of the inside.
void fold(std::string& out, const std::string& title, const std::string& part) {
  out += "\n<details>\n<summary>" + title + "</summary>\n" + part + "\n</details>\n";
}

void append_changes(std::string& out, const TextContext& context,
                    const analysis::Summary& summary) {
  out += "\n";
  if (summary.changes.empty()) {
    out += "No mask was changed.\n";
    return;
  }
  out += "| thread | changes | mask | where |\n|---|---:|---|---|\n";
  for (const Culprit& one : culprits(summary, context.stacks))
    out += "| " + code_of_escaped(culprit_name(one)) + " | " + std::to_string(one.changes.count) +
           " | " + transitions_text(one.changes) + " | " + code_of_escaped(one.where) + " |\n";
}

void append_objects(std::string& out, const analysis::Summary& summary) {
  out += "\n";
  if (summary.objects.empty()) {
    out += "None.\n";
    return;
  }
  out += "| path | call | asked | mask | mode | note | who |\n|---|---|---|---|---|---|---|\n";
  for (const ObjectLife& life : summary.objects)
    out += "| " + markdown_code(life.last_path) + " | " + markdown_code(life.born.call) + " | " +
           octal(without_type(life.requested)) + " | " + octal(life.born_mask) + " | " +
           mode_text(life) + " | " + markdown_code(note_text(life)) + " | " +
           code_of_escaped(thread_text(life.born.thread, life.born.tid)) + " |\n";
  const std::uint64_t all = summary.created + summary.unsure;
  if (all > summary.objects.size())
    out += "\n... and " + std::to_string(all - summary.objects.size()) + " more.\n";
}

void append_missing(std::string& out, const TextContext& context,
                    const analysis::Summary& summary) {
  out += "\n### Blind spots\n\n";
  for (const BlindReason& reason : blind_reasons(summary))
    out += "- " + code_of_escaped(blind_line(reason)) + "\n";
  const reader::Completeness& facts = context.run.completeness();
  for (const LossEvent& loss : facts.losses)
    out += "- lost: " + loss.reason + ", " + std::to_string(loss.count) + "\n";
  if (summary.blind_spots.empty() && facts.losses.empty()) out += "No blind spots were detected.\n";
}

void append_symbol_notes(std::string& out, const std::vector<std::string>& notes) {
  if (notes.empty()) return;
  out += "\n";
  const std::size_t shown = std::min(notes.size(), kMostNotes);
  for (std::size_t i = 0; i < shown; ++i) out += "- " + markdown_code(notes[i]) + "\n";
  if (shown < notes.size())
    out += "\n... and " + counted(notes.size() - shown, "module") + " more.\n";
}

}  // namespace

std::string markdown_code(std::string_view text) { return code_of_escaped(escape(text)); }

std::string markdown_report(const TextContext& context, const analysis::Summary& summary,
                            const Heading& heading, const std::vector<rules::Finding>& findings) {
  std::string out = "## umaskaudit\n\n";
  out += markdown_code(heading.program.empty() ? context.run.directory() : heading.program);
  if (!heading.ending.empty()) out += ", " + heading.ending;
  out += ": " + counted(summary.created, "object") + " created, " +
         counted(summary.mask_changes, "mask change") + ", " + programs_text(summary) + ".\n";
  if (const std::string dropped = dropped_text(context.run); !dropped.empty())
    out += '\n' + dropped + '\n';
  append_findings(out, context, findings);
  append_missing(out, context, summary);
  std::string changes, objects, notes;
  append_changes(changes, context, summary);
  fold(out, "Who changed the umask: " + counted(summary.mask_changes, "change"), changes);
  append_objects(objects, summary);
  fold(out, "Objects created: " + std::to_string(summary.created), objects);
  append_symbol_notes(notes, context.stacks.notes());
  if (!notes.empty()) fold(out, "Why some functions have no name", notes);
  return out;
}

}  // namespace umaskaudit::render

// One object: counts, culprits, findings, blind spots, losses.
// Must never disagree with the text report: both come from one Summary.
// Called by `report --format json`.
#include "reporter/render/formats/json_summary.h"

#include "reporter/render/dropped.h"
#include "reporter/render/formats/findings_json.h"
#include "reporter/render/formats/jsonl.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::render {

void write_culprit(JsonWriter& json, const Culprit& culprit) {
  const analysis::MaskChanges& changes = culprit.changes;
  json.begin_object();
  json.number("pid", changes.who.pid);
  json.number("tid", changes.who.tid);
  json.bytes("thread", changes.thread);
  json.number("fs", changes.fs);
  json.text("call", changes.call);
  json.text("where", culprit.where);
  json.number("processes", culprit.processes);
  json.number("count", changes.count);
  json.number("drifts", changes.drifts);
  json.number("first_ns", changes.first_ns);
  json.number("last_ns", changes.last_ns);
  json.number("in_force_ns", changes.held_ns);
  json.number("longest_ns", changes.longest_ns);
  if (changes.end_unseen) json.boolean("end_seen", false);
  json.begin_array("transitions");
  for (const auto& [transition, count] : changes.transitions) {
    json.begin_object();
    json.mode("old", transition.first);
    json.mode("new", transition.second);
    json.number("count", count);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

namespace {

void append_counts(JsonWriter& json, const analysis::Summary& summary) {
  json.begin_object("counts");
  json.number("events", summary.events);
  json.number("processes", summary.processes);
  json.number("threads", summary.threads);
  json.number("mask_changes", summary.mask_changes);
  json.number("created", summary.created);
  json.number("created_unknown", summary.unsure);
  json.number("existing", summary.existing);
  json.number("failed", summary.failed);
  json.number("ambiguous", summary.ambiguous);
  json.number("chmods", summary.chmods);
  json.number("gone", summary.gone);
  json.number("named_anew", summary.named_anew);
  json.number("mode_anew", summary.mode_anew);
  json.number("open_to_others", summary.open_count);
  json.end_object();
  json.begin_object("created_by_kind");
  for (const auto& [kind, count] : summary.kinds) json.number(kind_name(kind), count);
  json.end_object();
}

}  // namespace

void write_unseen(JsonWriter& json, const analysis::Summary& summary,
                  const reader::Completeness& facts) {
  json.begin_array("blind_spots");
  for (const analysis::BlindSpots& spot : summary.blind_spots) {
    json.begin_object();
    json.text("reason", blind_name(spot.reason));
    json.bytes("text", spot.text);
    json.number("count", spot.count);
    json.end_object();
  }
  json.end_array();
  json.begin_array("losses");
  for (const LossEvent& loss : facts.losses) {
    json.begin_object();
    json.text("reason", loss.reason);
    json.number("count", loss.count);
    json.text("detail", loss.detail);
    json.end_object();
  }
  json.end_array();
  json.boolean("complete", summary.blind_spots.empty() && facts.losses.empty());
}

std::string json_summary(const TextContext& context, const analysis::Summary& summary,
                         const Heading& heading, const std::vector<rules::Finding>& findings) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.number("schema", kJsonSchema);
  json.bytes("run", context.run.directory());
  json.bytes("program", heading.program);
  json.text("ending", heading.ending);
  json.number("begin_real_ns", context.run.begin_real_ns());
  json.number("duration_ns", context.run.end_ns() - context.run.begin_ns());
  append_counts(json, summary);
  json.begin_array("mask_changes");
  for (const Culprit& one : culprits(summary, context.stacks)) write_culprit(json, one);
  json.end_array();
  json.begin_array("findings");
  for (const rules::Finding& finding : findings) write_finding(json, finding);
  json.end_array();
  append_dropped_json(json, context);
  write_unseen(json, summary, context.run.completeness());
  json.begin_array("symbol_notes");
  for (const std::string& note : context.stacks.notes()) json.element(std::string_view(note));
  json.end_array();
  json.end_object();
  return out += '\n';
}

}  // namespace umaskaudit::render

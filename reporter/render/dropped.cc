#include "reporter/render/dropped.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>
#include <utility>

#include "reporter/render/mode_text.h"
#include "reporter/render/stack_text.h"
#include "reporter/render/whole_since.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_table.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::render {
namespace {

constexpr std::size_t kMostRows = 20;

Cell mode_cell(const DroppedEvents& events) {
  if (events.type == trace::RecordType::umask || !events.mode) return Cell("");
  return Cell(octal(*events.mode), mode_style(*events.mode));
}

const char* line_type(const DroppedEvents& events) {
  switch (events.type) {
    case trace::RecordType::umask:
      return "umask";
    case trace::RecordType::create:
      return "create";
    case trace::RecordType::chmod:
    case trace::RecordType::rename:
      return "change";
    case trace::RecordType::process:
      return "process";
    default:
      return "other";
  }
}

std::string segments_text(const Dropped& dropped) {
  std::string text = counted(dropped.segments, "program") +
                     " that had ended gave way as a whole, with " +
                     counted(dropped.segment_records, "record");
  const auto add = [&](std::uint64_t count, const char* noun) {
    if (count != 0) text += ", " + counted(count, noun);
  };
  add(dropped.segment_changes, "mask change");
  for (const auto& [kind, count] : dropped.segment_objects) add(count, kind_name(kind));
  return text + '.';
}

}  // namespace

std::string dropped_what(const DroppedEvents& events) {
  switch (events.type) {
    case trace::RecordType::umask:
      return "mask change";
    case trace::RecordType::create:
      break;
    case trace::RecordType::chmod:
      return "mode change";
    case trace::RecordType::rename:
      return "name change";
    case trace::RecordType::process:
      return "forked process";
    case trace::RecordType::exec:
      return "program start";
    default:
      return "other event";
  }
  const std::string kind = kind_name(events.kind);
  if (events.error != 0) return kind + ", failed: " + std::strerror(events.error);
  switch (events.created) {
    case trace::Created::no:
      return kind + ", opened";
    case trace::Created::yes:
      break;
    case trace::Created::probably:
      return kind + ", probably created";
    case trace::Created::unknown:
      return kind + ", perhaps created";
  }
  return kind;
}

std::string dropped_mask(const DroppedEvents& events) {
  if (!events.mask) return "";
  const bool change = events.type == trace::RecordType::umask;
  return octal(*events.mask) + (change && events.mode ? " -> " + octal(*events.mode) : "");
}

std::vector<DroppedRow> dropped_rows(const Dropped& dropped, analysis::StackCache& stacks) {
  const auto alike = [](const DroppedEvents& events, const std::string& where) {
    return std::tuple(events.type, events.call, events.kind, events.created, events.requested,
                      events.mode, events.mask, events.error, where);
  };
  using Key = decltype(alike(DroppedEvents{}, std::string{}));
  std::map<Key, std::size_t> known;
  std::vector<DroppedRow> rows;
  for (const DroppedEvents& events : dropped.events) {
    const std::string where = place_text(stacks, events.stack);
    const auto [found, fresh] = known.try_emplace(alike(events, where), rows.size());
    if (fresh) {
      rows.push_back({events, where});
      continue;
    }
    DroppedEvents& row = rows[found->second].events;
    row.count += events.count;
    row.first_ns = std::min(row.first_ns, events.first_ns);
    row.last_ns = std::max(row.last_ns, events.last_ns);
  }
  std::stable_sort(rows.begin(), rows.end(), [](const DroppedRow& a, const DroppedRow& b) {
    return a.events.count > b.events.count;
  });
  return rows;
}

std::string dropped_text(const reader::Run& run) {
  const Dropped& dropped = run.dropped();
  if (!dropped.any()) return "";
  const std::string since = whole_since_text(run);
  const std::uint64_t count = dropped.count();
  std::string text;
  if (!since.empty()) text = "The record is whole from " + since + " on (keep=latest). ";
  if (count != 0 && !since.empty())
    text += counted(count, "earlier event") + (count == 1 ? " was" : " were") + " summed up. ";
  else if (count != 0)
    text += counted(count, "event") + (count == 1 ? " was" : " were") +
            " counted and not recorded: mask changes may take half of a segment. ";
  if (dropped.segments != 0) text += segments_text(dropped);
  while (text.ends_with(' ')) text.pop_back();
  return text;
}

void append_dropped(std::string& out, const TextContext& context) {
  const Dropped& dropped = context.run.dropped();
  if (!dropped.any()) return;
  out += context.paint(Style::strong, "Summed up") + '\n';
  append_wrapped(out, dropped_text(context.run), 2, 2, context.width);
  const std::vector<DroppedRow> rows = dropped_rows(dropped, context.stacks);
  TextTable table({{"COUNT", Align::right},
                   {"CALL"},
                   {"WHAT"},
                   {"MASK"},
                   {"MODE", Align::right},
                   {"WHERE", Align::left, true}});
  const std::size_t shown = std::min(rows.size(), kMostRows);
  for (std::size_t i = 0; i < shown; ++i) {
    const DroppedEvents& events = rows[i].events;
    table.add({std::to_string(events.count), escape(events.call), dropped_what(events),
               dropped_mask(events), mode_cell(events), rows[i].where});
  }
  if (!table.empty()) out += table.text(context.width, context.paint);
  if (shown < rows.size())
    out +=
        "  ... and " + std::to_string(rows.size() - shown) + " more; --format json has them all\n";
  out += '\n';
}

void dropped_fields(JsonWriter& json, const DroppedEvents& events) {
  json.text("of", line_type(events));
  if (!events.call.empty()) json.text("call", events.call);
  json.number("count", events.count);
  json.number("first_ns", events.first_ns);
  json.number("last_ns", events.last_ns);
  switch (events.type) {
    case trace::RecordType::umask:
      json.mode("old", events.mask);
      json.mode("new", events.mode);
      return;
    case trace::RecordType::create:
      json.text("kind", kind_name(events.kind));
      if (events.created == trace::Created::unknown)
        json.text("created", "unknown");
      else
        json.boolean("created", events.created != trace::Created::no);
      json.mode("mask", events.mask);
      [[fallthrough]];
    case trace::RecordType::chmod:
      json.mode("requested", without_type(events.requested));
      json.mode("final", events.mode);
      [[fallthrough]];
    case trace::RecordType::rename:
      json.integer("errno", events.error);
      return;
    default:
      return;
  }
}

void append_dropped_json(JsonWriter& json, const TextContext& context) {
  const Dropped& dropped = context.run.dropped();
  if (!dropped.any()) return;
  json.begin_object("dropped");
  if (dropped.whole_since_ns != 0) {
    json.number("whole_since_ns", dropped.whole_since_ns);
    json.number("whole_since_real_ns", whole_since_real_ns(context.run));
  }
  json.number("count", dropped.count());
  json.begin_array("events");
  for (const DroppedRow& row : dropped_rows(dropped, context.stacks)) {
    json.begin_object();
    dropped_fields(json, row.events);
    json.text("where", row.where);
    json.end_object();
  }
  json.end_array();
  json.begin_object("segments");
  json.number("count", dropped.segments);
  json.number("records", dropped.segment_records);
  json.number("mask_changes", dropped.segment_changes);
  json.begin_object("objects");
  for (const auto& [kind, count] : dropped.segment_objects) json.number(kind_name(kind), count);
  json.end_object();
  json.end_object();
  json.end_object();
}

}  // namespace umaskaudit::render

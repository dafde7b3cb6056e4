// What was dropped from the record and only counted, by place in the code, as text and as JSON.
// Must never call it lost: keep=latest drops it on purpose, and the sums contain it.
#pragma once

#include <string>
#include <vector>

#include "reporter/events/dropped.h"
#include "reporter/render/text_report.h"
#include "reporter/text/json_writer.h"

namespace umaskaudit::render {

// Events of all processes that are alike, and came from one place.
struct DroppedRow {
  DroppedEvents events;  // `stack` is that of one of them
  std::string where;     // as place_text() has it
};
// The most first.
std::vector<DroppedRow> dropped_rows(const Dropped& dropped, analysis::StackCache& stacks);

// The kind and outcome of the events, as in "file, failed: ...". The mask of creations, or
// "OLD -> NEW" of changes. Both empty where not known.
std::string dropped_what(const DroppedEvents& events);
std::string dropped_mask(const DroppedEvents& events);

// A sentence: how many events were dropped, and since when the record is whole. Empty: none were.
std::string dropped_text(const reader::Run& run);
// A section with that and the table; nothing where nothing was dropped.
void append_dropped(std::string& out, const TextContext& context);

// Members of an object: what the events have in common.
void dropped_fields(JsonWriter& json, const DroppedEvents& events);
// "dropped" of the summary; nothing where nothing was dropped.
void append_dropped_json(JsonWriter& json, const TextContext& context);

}  // namespace umaskaudit::render

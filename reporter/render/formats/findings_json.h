// Findings, and the objects they hit, as JSON Lines of schema version 2.
// Must never change the meaning or the type of a field: scripts depend on them; fields may be
// added. Called by `check --format jsonl`, `check --objects` and `report --format jsonl` and
// `json`.
#pragma once

#include <string>

#include "reporter/rules/find.h"

namespace umaskaudit {
class JsonWriter;
}  // namespace umaskaudit

namespace umaskaudit::render {

// {"type":"finding","rule":"window-overlap",...}, as the next element.
void write_finding(JsonWriter& json, const rules::Finding& finding);
// The same, and a newline.
void append_finding_json(std::string& out, const rules::Finding& finding);

// {"type":"hit","rule":...,"path":...,"mode":...,"expected":...} and a newline.
void append_hit_json(std::string& out, const rules::FinalHit& hit);

}  // namespace umaskaudit::render

// Words for files that appeared during a run without a record: see analysis/unrecorded_files.h.
// Must never print a name but through escape() or as JSON. Called by `report`, `blame`
// and `explain`.
#pragma once

#include <string>
#include <vector>

#include "reporter/analysis/unrecorded_files.h"
#include "reporter/render/text_report.h"

namespace umaskaudit::render {

// Below "What this run could not see"; nothing for none, and where all was looked at. The first few
// are named.
void append_unrecorded(std::string& out, const TextContext& context,
                       const analysis::UnrecordedObjects& found);

// Lines of schema version 2: a blind_spot of reason "appeared" for each, and a note where not all
// was looked at.
void append_unrecorded_json(std::string& out, const UnrecordedObject& file);
// The same as an object line of number `id` for each of its names: nothing is known of its birth.
void append_unrecorded_object_json(std::string& out, const UnrecordedObject& file,
                                   std::uint64_t id);
void append_incomplete_json(std::string& out, const analysis::UnrecordedObjects& found);

// All that is known of one: lines for `blame` and `explain`. `width`: columns, 0 for any.
std::string unrecorded_text(const UnrecordedObject& file, const Paint& paint, std::size_t width);

}  // namespace umaskaudit::render

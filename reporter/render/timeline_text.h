// One line an event: when, in which fs context, who, the mask, and what happened.
// Must never look ahead: lines are streamed.
#pragma once

#include <cstdint>
#include <string>

#include "reporter/analysis/stack_cache.h"
#include "reporter/events/events.h"
#include "reporter/objects/refusal.h"
#include "reporter/render/text_report.h"
#include "reporter/text/style.h"

namespace umaskaudit::render {

struct TimelineStyle {
  std::uint64_t begin_ns = 0;
  Paint paint;
  bool where = true;  // name the code
};

// Whether an event is about masks and created objects: no failed calls, opened files, threads,
// names.
bool is_listed(const Event& event);

// The titles of the columns, with a newline.
std::string timeline_titles(const TimelineStyle& style);

// Appends one line with its newline. `reason`: why the mode is what it is, printable.
void append_timeline(std::string& out, const Event& event, analysis::StackCache& stacks,
                     const TimelineStyle& style, const std::string& reason = "");

// "created file /x 0666 & ~0022 = 0644", "chmod 0600 -> 0600": what happened, escaped.
std::string event_text(const Event& event);
// "'/w/d' is 0022, made so under umask 0755: not even its owner may enter it".
std::string refusal_text(const Refusal& refusal);

// The section of a report about calls that made nothing, with the reason.
void append_refused(std::string& out, const TextContext& context, const analysis::Summary& summary);

}  // namespace umaskaudit::render

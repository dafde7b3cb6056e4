#include "reporter/reader/dropped.h"

#include <algorithm>
#include <iterator>

#include "reporter/reader/derivations.h"

namespace umaskaudit::reader {
namespace {

trace::Kind kind_of(unsigned number) {
  return number <= static_cast<unsigned>(trace::Kind::tmpfile) ? static_cast<trace::Kind>(number)
                                                               : trace::Kind::unknown;
}

trace::Created created_of(unsigned number) {
  return number <= static_cast<unsigned>(trace::Created::unknown)
             ? static_cast<trace::Created>(number)
             : trace::Created::unknown;
}

DroppedEvents events_of(const Segment& segment, const trace::Total& total) {
  DroppedEvents events;
  if (total.stack != 0) events.stack = {segment.index, total.stack};
  events.type = static_cast<trace::RecordType>(total.type);
  // A process is no call.
  const bool process = events.type == trace::RecordType::process;
  if (total.type != 0 && !process) events.call = segment.call(total.call);
  events.count = total.count;
  events.first_ns = total.first_ns;
  events.last_ns = total.last_ns;
  events.requested = total.requested;
  events.error = total.error;
  switch (events.type) {
    case trace::RecordType::umask:
      events.mode = total.mode & 0777;
      events.mask = total.mask & 0777;
      break;
    case trace::RecordType::create:
      events.mask = total.mask & 0777;
      events.kind = kind_of(total.kind);
      events.created = created_of(total.created);
      [[fallthrough]];
    default:
      events.mode = final_mode(total.mode);
  }
  return events;
}

}  // namespace

Dropped sum_dropped(const std::vector<std::unique_ptr<Segment>>& segments,
                    const trace::RunState& state) {
  Dropped all;
  for (const auto& segment : segments) {
    all.whole_since_ns = std::max(all.whole_since_ns, segment->ring.whole_since_ns);
    for (const trace::Total& total : segment->totals)
      all.events.push_back(events_of(*segment, total));
  }
  if (state.dropped_segments == 0) return all;
  all.whole_since_ns = std::max(all.whole_since_ns, state.dropped_whole_since_ns);
  all.segments = state.dropped_segments;
  all.segment_records = state.dropped_records;
  all.segment_changes = state.dropped_changes;
  for (unsigned kind = 0; kind < std::size(state.dropped_created); ++kind) {
    const std::uint64_t count = state.dropped_created[kind];
    if (count != 0) all.segment_objects[kind_of(kind)] += count;
  }
  return all;
}

}  // namespace umaskaudit::reader

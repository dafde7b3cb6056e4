// Dropped: counts of events that have no record any more (dropped by keep=latest), or never had one
// (mask changes beyond their share of a segment). Plain data: made by the reader.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "reporter/events/events.h"

namespace umaskaudit {

// Events that agree in all of these.
struct DroppedEvents {
  StackRef stack;                                   // id 0: none, or of many stacks
  trace::RecordType type = trace::RecordType::pad;  // pad: of any type
  std::string_view call;
  std::uint64_t count = 0;
  std::uint64_t first_ns = 0, last_ns = 0;
  std::uint32_t requested = 0;  // create, chmod
  std::optional<Mode> mode;     // of a creation or chmod; of a mask change the new mask
  std::optional<Mode> mask;     // before a creation; of a mask change the old mask
  trace::Kind kind = trace::Kind::unknown;
  trace::Created created = trace::Created::unknown;
  std::int32_t error = 0;
};

struct Dropped {
  // No event later than this was dropped by keep=latest; 0: none was.
  std::uint64_t whole_since_ns = 0;
  std::vector<DroppedEvents> events;
  // Segments of ended programs that were removed to stay within max_run.
  std::uint64_t segments = 0;
  std::uint64_t segment_records = 0;
  std::uint64_t segment_changes = 0;
  std::map<trace::Kind, std::uint64_t> segment_objects;

  bool any() const { return whole_since_ns != 0 || !events.empty() || segments != 0; }
  // The sum over `events`.
  std::uint64_t count() const {
    std::uint64_t sum = 0;
    for (const DroppedEvents& each : events) sum += each.count;
    return sum;
  }
};

}  // namespace umaskaudit

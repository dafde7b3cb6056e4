// The columns of record_types.def for code that has the structure of a type.
// Must never name a type: a new row of the table reaches all code through here.
#pragma once

#include <cstdint>
#include <type_traits>

#include "preload/trace/format.h"
#include "reporter/reader/segment/record.h"

namespace umaskaudit::reader {

enum class OrderedBy : std::uint8_t { time, own_change, change };

// The columns of one row.
struct RecordTraits {
  bool is_event = false;
  bool has_stack = false;
  bool has_context = false;
  OrderedBy ordered_by = OrderedBy::time;
};

// By the structure of the fixed part: kTraits<trace::Umask>.
template <typename Facts>
inline constexpr RecordTraits kTraits;
#define RECORD(identifier, number, structure, event, stack, context, order, ...)    \
  template <>                                                                       \
  inline constexpr RecordTraits kTraits<trace::structure> = {event, stack, context, \
                                                             OrderedBy::order};
#include "preload/trace/record_types.def"
#undef RECORD

// If the table did not mark the member `stack`, events of a growing run would miss their stacks.
template <typename Facts>
inline constexpr bool kNamesItsStack = requires(Facts facts) {
  facts.stack;
};
#define RECORD(identifier, number, structure, event, stack, ...) \
  static_assert(!event || stack == kNamesItsStack<trace::structure>);
#include "preload/trace/record_types.def"
#undef RECORD

enum class Shape : std::uint8_t {
  whole,
  too_short,  // shorter than its type
  unknown,    // a type that this reader does not know
};

template <typename Facts, typename Visit>
Shape visit_as(const Record& record, const Visit& visit) {
  Facts facts{};
  // A structure without members says nothing about the payload, not even that there is one.
  if constexpr (!std::is_empty_v<Facts>) {
    if (!fixed_part(record, &facts)) return Shape::too_short;
  }
  visit(facts);
  return Shape::whole;
}

// Calls visit(facts) with the fixed part of the payload, in its type's structure, when it is whole.
template <typename Visit>
Shape visit_record(const Record& record, const Visit& visit) {
  switch (record.type()) {
#define RECORD(identifier, number, structure, ...) \
  case trace::RecordType::identifier:              \
    return visit_as<trace::structure>(record, visit);
#include "preload/trace/record_types.def"
#undef RECORD
  }
  return Shape::unknown;
}

// True for records that become events, and for thread names, which apply in the order of events.
inline bool is_event(trace::RecordType type) {
  switch (type) {
#define RECORD(identifier, number, structure, event, ...) \
  case trace::RecordType::identifier:                     \
    return event;
#include "preload/trace/record_types.def"
#undef RECORD
  }
  return false;
}

}  // namespace umaskaudit::reader

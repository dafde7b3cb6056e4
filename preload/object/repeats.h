// Counts creating calls that open what was there, as a shell's "> /dev/null" does all day: a record
// for the first time at a place, a count in the segment's header for each further one.
// Must never count two calls as one place that a reader would want apart: other call sites,
// objects, paths, flags or masks are.
// Called by creation.cc. Async-signal-safe, lock-free, works in forked and vfork children.
#pragma once

#include <cstdint>

#include "preload/object/creation.h"
#include "preload/object/object_look.h"

namespace umaskaudit::shim {

struct Repetition {
  bool counted = false;    // no record is wanted
  std::uint32_t cell = 0;  // RecordHeader::repeat of the record; 0: no room to count
};
// `facts` are those of the object, which was there, `mask` the one before the call. The processes
// that share a segment share its places: a shell opens /dev/null in one child after the other.
Repetition count_repetition(const Request& request, const ObjectFacts& facts, std::uint16_t mask);

}  // namespace umaskaudit::shim

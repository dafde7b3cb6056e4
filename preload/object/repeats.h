// Counts calls that open an existing object again and again, such as a shell's "> /dev/null": the
// first one from a call site has a record, later ones add to a count in the segment's header.
// Must never merge calls that differ in call site, object, path, flags or mask. Async-signal-safe,
// lock-free, works in forked and vfork children.
#pragma once

#include <cstdint>

#include "preload/object/creation.h"
#include "preload/object/object_look.h"

namespace umaskaudit::shim {

struct Repetition {
  bool counted = false;    // counted: write no record
  std::uint32_t cell = 0;  // RecordHeader::repeat of the record; 0: no free cell
};
// `facts` are those of the existing object, `mask` the one before the call. Processes that share a
// segment share its cells: a shell opens /dev/null in one child after the other.
Repetition count_repetition(const Request& request, const ObjectFacts& facts, std::uint16_t mask);

}  // namespace umaskaudit::shim

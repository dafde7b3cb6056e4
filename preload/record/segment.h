// One mapped trace segment: space is reserved by one atomic add, mapped chunk by chunk.
// Must never keep a descriptor, block, allocate, or let a full disk become a SIGBUS in the program:
// a chunk is backed (MADV_POPULATE_WRITE) before anybody writes to it.
// Called by recorder.cc; at the start, before a filter and by umaskaudit_flush() as well.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// Opens DIRECTORY (made 0700 if missing) and a new segment 0600 in it, both whatever the umask or a
// default ACL says. 0, or an error number: nothing was mapped, and run.state counts the failure if
// it can.
// Uses descriptors for the time of the call only. Not async-signal-safe; called once, by init.
int open_segment(const char* directory, std::uint32_t pid);

// Whether `umaskaudit run` made it, since this process cannot; see served_segment.h.
bool has_served_segment();
// The name that the root directory has outside, not NUL-terminated; empty: none that is known.
struct ServedRoot {
  const char* text;
  std::uint32_t length;
};
ServedRoot served_root();

// The header of the open segment; null when there is none, or when its filesystem may not let us
// write to it just now: then one more loss is counted, to be told later.
trace::SegmentHeader* segment_header();

// Whether mask changes may take room for `records` more: they have half of the segment, and cost no
// creation its record.
bool take_room_for_changes(std::uint32_t records);

// A cell of the header, where a store to it is safe now; else null.
trace::FoldCell* fold_cell(std::uint32_t index);

// In the header; where there is none, nothing is lost.
[[gnu::cold]] void count_loss(trace::Loss reason);

struct Space {
  unsigned char* at = nullptr;
  std::uint64_t offset = 0;  // in the file; seeds the checksum
};
// `length` bytes for one record, 8-aligned; length <= trace::kMaxRecord. Nothing when the segment
// is full: the loss is counted. `use`: of the chunk that it goes to, with keep=latest.
// Async-signal-safe, lock-free, works in forked and vfork children.
Space reserve(std::uint32_t length, trace::ChunkUse use);

// A mask change that found no room: a loss, and counted by its call site where that has room.
[[gnu::cold]] void count_refused_change(std::uint64_t time_ns, const trace::Umask& change);

// Before the program moves to where /proc may be missing: asks there what the segment may take.
void prepare_to_move();

// Maps a few chunks that nobody needs yet: soon we may not be allowed to (seccomp).
void map_ahead();

// Forces what this process has mapped to the disk; 0 or -errno (msync(2)). Blocks.
long sync_segment();

}  // namespace umaskaudit::shim

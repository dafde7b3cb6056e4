// The trace segment of this process image: one atomic add reserves space, and chunks are mapped one
// by one.
// Must never keep a descriptor, block, allocate, or let a full disk become a SIGBUS in the program:
// a chunk is backed (MADV_POPULATE_WRITE) before the first store.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// Opens DIRECTORY (made 0700 if missing) and a new segment 0600 in it, both whatever the umask or a
// default ACL says. 0, or an error number: nothing was mapped, and run.state counts the failure if
// it can.
// Closes its descriptors before it returns. Not async-signal-safe; called once, by init.
int open_segment(const char* directory, std::uint32_t pid);

// Whether `umaskaudit run` created the segment because this process could not; see
// served_segment.h.
bool has_served_segment();
// The name that the root directory has outside, not NUL-terminated; empty: not known.
struct ServedRoot {
  const char* text;
  std::uint32_t length;
};
ServedRoot served_root();

// The header of the open segment; null when there is none, or when a store to it is not safe at the
// moment: then one more loss is counted, and added to the header later.
trace::SegmentHeader* segment_header();

// Whether mask changes may take room for `records` more: they get half of the segment, and never
// the space of a creation's record.
bool take_room_for_changes(std::uint32_t records);

// A cell of the header if a store to it is safe now; else null.
trace::FoldCell* fold_cell(std::uint32_t index);

// Counts a loss in the header; no effect without a segment.
[[gnu::cold]] void count_loss(trace::Loss reason);

struct Space {
  unsigned char* at = nullptr;
  std::uint64_t offset = 0;  // in the file; seeds the checksum
};
// Reserves `length` bytes for one record, 8-aligned; length <= trace::kMaxRecord. Null when the
// segment is full, which is counted as a loss. `use`: the kind of chunk, with keep=latest.
// Async-signal-safe, lock-free, works in forked and vfork children.
Space reserve(std::uint32_t length, trace::ChunkUse use);

// Counts a mask change that has no room as a loss, and by its call site in the totals.
[[gnu::cold]] void count_refused_change(std::uint64_t time_ns, const trace::Umask& change);

// Finds out how much memory the segment may take, before the program changes to a root where /proc
// may be missing.
void prepare_to_move();

// Maps a few chunks in advance: a seccomp filter may soon bar mmap(2).
void map_ahead();

// Writes what this process has mapped to the disk; 0 or -errno (msync(2)). Blocks.
long sync_segment();

}  // namespace umaskaudit::shim

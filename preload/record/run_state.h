// run.state, the page that all processes of a run share: what no segment can hold, and what the run
// takes on the disk (max_run=).
// Must never block. The page stays mapped, for to unmap it takes as long as to map it; only with
// max_run= it is looked at again.
// Called by segment.cc and chunks.cc.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// Maps the page in `directory`, made if it is missing. Null: it cannot be had, which is no error.
// `largest`: the size that a file may have (setrlimit(2)); `filesystem`: filesystem_of() it.
trace::RunState* map_run_state(int directory, unsigned long filesystem, std::uint64_t largest);

// After the segment of this image was opened or not. May be null.
void keep_run_state(trace::RunState* state);

// Most processes record little: the first chunk is small, and only its begin is backed when it is
// opened, so that starting one stays cheap.
inline constexpr std::uint64_t kFirstBacked = 12 << 10;

// Counts what a new segment takes at least. False: the run is full. `state` may be null.
bool begin_in_run(trace::RunState* state);

// Whether a segment may take the rest of its first chunk, and chunks up to `chunk`; each is counted
// once, whoever asks. Segments that grow leave a quarter of the bound to images that begin.
// Async-signal-safe, lock-free.
bool pay_for_first_chunk(trace::SegmentHeader& header);
bool pay_for_chunk(trace::SegmentHeader& header, unsigned chunk);

// What was counted for a segment, in bytes.
std::uint64_t paid_for(const trace::SegmentHeader& header);
void give_back_to_run(trace::RunState& state, std::uint64_t bytes);

}  // namespace umaskaudit::shim

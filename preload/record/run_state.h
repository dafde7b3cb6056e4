// run.state, the page that all processes of a run share: counts that belong to no segment, and the
// disk space that the run takes (max_run=).
// Must never block. The page stays mapped, because unmapping costs as much as mapping; after the
// start it is used only with max_run=.
#pragma once

#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// Maps the page in `directory`, creating the file if it is missing. Null: that failed, which is no
// error. `largest`: the greatest file size (setrlimit(2)); `filesystem`: filesystem_of() the
// directory.
trace::RunState* map_run_state(int directory, unsigned long filesystem, std::uint64_t largest);

// Counts an image, after its segment was opened or not. `state` may be null.
void keep_run_state(trace::RunState* state);

// Most processes record little: the first chunk is small, and only its beginning is backed when it
// is opened, which keeps starts cheap.
inline constexpr std::uint64_t kFirstBacked = 12 << 10;

// Charges the least that a new segment takes. False: the run is full. `state` may be null.
bool begin_in_run(trace::RunState* state);

// Whether a segment may take the rest of its first chunk, and chunks up to `chunk`; each is charged
// once, whichever process asks. A quarter of the bound stays reserved for images that begin.
// Async-signal-safe, lock-free.
bool pay_for_first_chunk(trace::SegmentHeader& header);
bool pay_for_chunk(trace::SegmentHeader& header, unsigned chunk);

// The bytes that were charged for a segment.
std::uint64_t paid_for(const trace::SegmentHeader& header);
void give_back_to_run(trace::RunState& state, std::uint64_t bytes);

}  // namespace umaskaudit::shim

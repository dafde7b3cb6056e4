// For the live log and stop_on_overlap= only: creations that met a mask which another thread held
// for a moment. Must never wait or allocate; what it cannot tell at that moment it keeps silent
// about: the record, and `umaskaudit check`, know all of it. Called by mask_change and creation
// when one of them is on.
#pragma once

#include <cstdint>

#include "preload/log/live_log.h"
#include "preload/mask/fs_context.h"

namespace umaskaudit::shim {

// After each umask call of a context that is ours; `new_mask` in nine bits. Returns the hits of the
// window that this call closes. Async-signal-safe, no lock.
WindowHits note_mask_change(const Task& task, const MaskChange& change, std::uint16_t new_mask);

// One new object: the bits that the mask acts on, and what it came out as, between two snapshots.
// Returns hits when the window it met has been closed meanwhile; else they wait for its end.
// Async-signal-safe, no lock.
WindowHits note_creation(const Task& task, const Snapshot& before, const Snapshot& after,
                         std::uint32_t requested, std::uint32_t final_mode);

}  // namespace umaskaudit::shim

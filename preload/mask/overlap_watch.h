// Detects overlaps at run time, for the live log and stop_on_overlap=: creations that fell into a
// mask window of another thread.
// Must never wait or allocate. An overlap that cannot be decided at that moment is not reported
// here: the records have it, and `umaskaudit check` finds it.
#pragma once

#include <cstdint>

#include "preload/log/live_log.h"
#include "preload/mask/fs_context.h"

namespace umaskaudit::shim {

// After each umask call in a context that we cache; `new_mask` in nine bits. Returns the hits of
// the window that this call closes. Async-signal-safe, lock-free.
WindowHits note_mask_change(const Task& task, const MaskChange& change, std::uint16_t new_mask);

// After the creation of an object: the mode bits that the mask acts on, requested and final, and
// the snapshots before and after. Returns hits when the window has been closed meanwhile; else they
// are kept until it is. Async-signal-safe, lock-free.
WindowHits note_creation(const Task& task, const Snapshot& before, const Snapshot& after,
                         std::uint32_t requested, std::uint32_t final_mode);

}  // namespace umaskaudit::shim

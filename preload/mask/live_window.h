// For the live log only: creations that met a mask which another thread held for a moment.
// Must never wait or allocate; what it cannot tell at that moment it keeps silent about: the
// record, and `umaskaudit check`, know all of it. Called by mask_change and creation when log= is
// on.
#pragma once

#include <cstdint>

#include "preload/mask/fs_context.h"

namespace umaskaudit::shim {

// Creations of other threads inside one window, once it is known to be one: the thread that set
// the mask has put the old one back.
struct WindowHits {
  std::uint32_t count = 0;  // 0: nothing to say
  std::uint32_t setter = 0;
  std::uint16_t inside = 0;   // the mask that they met
  std::uint16_t outside = 0;  // the mask before and after
  std::uint32_t victim = 0;   // the thread of the last one
  std::uint16_t mode = 0;     // as it came out
  std::uint16_t expected = 0;
};

// After each umask call of a context that is ours; `new_mask` in nine bits. Returns the hits of the
// window that this call closes. Async-signal-safe, no lock.
WindowHits note_mask_change(const Task& task, const MaskChange& change, std::uint16_t new_mask);

// One new object: the bits that the mask acts on, and what it came out as, between two snapshots.
// Returns hits when the window it met has been closed meanwhile; else they wait for its end.
// Async-signal-safe, no lock.
WindowHits note_creation(const Task& task, const Snapshot& before, const Snapshot& after,
                         std::uint32_t requested, std::uint32_t final_mode);

}  // namespace umaskaudit::shim
